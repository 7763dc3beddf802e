"""The table of names: whole, consistent, and no code of detector or importers is without one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate import language_table, locations
from mltranslate.errors import LanguageError
from mltranslate.languages import describe, resolve
from mltranslate_export.importers.codes import M2M_ORDER, named_language, our_codes

TABLES = (language_table.MAIN, language_table.OTHERS, language_table.VARIETIES)
ROW = re.compile(
    r"(?P<code>[a-z]{2,3}(-[A-Z][a-z]{3}|-[A-Z]{2}|-\d{3})?) (?P<others>-|[a-z]{2,3}(,[a-z]{2,3})*)"
    r" (?P<script>[A-Z][a-z]{3}) (?P<names>[^=]+) = (?P<endonyms>[^=]+)"
)
ROWS = [ROW.fullmatch(line) for table in TABLES for line in table.strip().splitlines()]

FLORES = """
ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn amh_Ethi apc_Arab arb_Arab
arb_Latn ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl
bam_Latn ban_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn
bul_Cyrl cat_Latn ceb_Latn ces_Latn cjk_Latn ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn
dyu_Latn dzo_Tibt ell_Grek eng_Latn epo_Latn est_Latn eus_Latn ewe_Latn fao_Latn fij_Latn fin_Latn
fon_Latn fra_Latn fur_Latn fuv_Latn gaz_Latn gla_Latn gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn
hau_Latn heb_Hebr hin_Deva hne_Deva hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn
ita_Latn jav_Latn jpn_Jpan kab_Latn kac_Latn kam_Latn kan_Knda kas_Arab kas_Deva kat_Geor kaz_Cyrl
kbp_Latn kea_Latn khk_Cyrl khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn kmr_Latn knc_Arab knc_Latn
kon_Latn kor_Hang lao_Laoo lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn lua_Latn
lug_Latn luo_Latn lus_Latn lvs_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Arab min_Latn mkd_Cyrl
mlt_Latn mni_Beng mos_Latn mri_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva nso_Latn nus_Latn
nya_Latn oci_Latn ory_Orya pag_Latn pan_Guru pap_Latn pbt_Arab pes_Arab plt_Latn pol_Latn por_Latn
prs_Arab quy_Latn ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Olck scn_Latn shn_Mymr sin_Sinh
slk_Latn slv_Latn smo_Latn sna_Latn snd_Arab som_Latn sot_Latn spa_Latn srd_Latn srp_Cyrl ssw_Latn
sun_Latn swe_Latn swh_Latn szl_Latn tam_Taml taq_Latn taq_Tfng tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn
tha_Thai tir_Ethi tpi_Latn tsn_Latn tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab
ukr_Cyrl umb_Latn urd_Arab uzn_Latn vec_Latn vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn
yue_Hant zho_Hans zho_Hant zsm_Latn zul_Latn
"""
"""The codes of NLLB-200."""
MBART = """
ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV
my_MM ne_NP nl_XX ro_RO ru_RU si_LK tr_TR vi_VN zh_CN af_ZA az_AZ bn_IN fa_IR he_IL hr_HR id_ID
ka_GE km_KH mk_MK ml_IN mn_MN mr_IN pl_PL ps_AF pt_XX sv_SE sw_KE ta_IN te_IN th_TH tl_XX uk_UA
ur_PK xh_ZA gl_ES sl_SI
"""
"""The codes of mBART-50."""


def _is_named(code: str) -> bool:
    known = describe(code)
    return code not in (known.name, known.endonym) and known.script != "Zyyy"


def test_every_row_is_well_formed() -> None:
    lines = [line for table in TABLES for line in table.strip().splitlines()]
    assert [line for line, row in zip(lines, ROWS, strict=True) if row is None] == []
    assert all(name == name.strip() for row in ROWS if row for name in row["names"].split("|"))


def test_every_spelling_means_one_language() -> None:
    meant = defaultdict(set)
    for row in filter(None, ROWS):
        others = [] if row["others"] == "-" else row["others"].split(",")
        for spelling in (
            row["code"],
            *others,
            *row["names"].split("|"),
            *row["endonyms"].split("|"),
        ):
            meant[spelling.casefold()].add(row["code"])
    assert {spelling: codes for spelling, codes in meant.items() if len(codes) > 1} == {}


def test_every_row_is_found_by_code_name_and_endonym() -> None:
    for row in filter(None, ROWS):
        code = row["code"]
        for spelling in (code, row["names"].split("|")[0], row["endonyms"].split("|")[0]):
            assert resolve(spelling, [code]) == code
            assert resolve(spelling.upper(), ["qqx", code]) == code


def test_every_code_of_the_identifier_has_a_name() -> None:
    manifest = json.loads((locations.embedded_lid() / "manifest.json").read_text("utf-8"))
    assert [code for code in manifest["languages"] if not _is_named(code)] == []


def test_the_table_agrees_with_the_identifier_on_scripts() -> None:
    manifest = json.loads((locations.embedded_lid() / "manifest.json").read_text("utf-8"))
    parts = {"Hans": {"Hani"}, "Hant": {"Hani"}, "Jpan": {"Hani", "Kana"}, "Kore": {"Hang"}}
    for code, scripts in manifest["languages"].items():
        script = describe(code).script
        assert parts.get(script, {script}) & set(scripts), code


def test_every_code_that_an_importer_brings_has_a_name() -> None:
    for public in (M2M_ORDER.split(), FLORES.split(), MBART.split()):
        codes = our_codes(public)
        assert len(codes) == len(public)
        assert [code for code in codes if not _is_named(code)] == []


@pytest.mark.parametrize(
    ("public", "code"),
    [
        ("deu", "de"),
        ("de_DE", "de"),
        ("arb_Arab", "ar"),
        ("plt", "mg"),
        ("ast", "ast"),
        ("gem", None),
        ("mul", None),
        ("German", None),
        (None, None),
    ],
)
def test_a_public_code_that_names_one_language(public: object, code: str | None) -> None:
    assert named_language(public) == code


def test_public_codes_of_one_language_are_told_apart() -> None:
    codes = our_codes(["zho_Hans", "zho_Hant", ">>deu<<", "qqx", "ns", "German"])
    assert codes == {
        "zh": "zho_Hans", "zh-Hant": "zho_Hant", "de": ">>deu<<", "qqx": "qqx", "nso": "ns",
    }  # fmt: skip


@given(st.text(max_size=24) | st.from_regex(r"[a-z]{2,3}([-_][A-Za-z]{2,4}){0,2}", fullmatch=True))
def test_any_spelling(spelling: str) -> None:
    assert describe(spelling).code == spelling
    try:
        code = resolve(spelling)
    except LanguageError:
        return
    assert resolve(code) == code
    assert resolve(spelling, [code, "qqx"]) == code


def test_the_table_is_read_only_when_it_is_needed() -> None:
    script = (
        "import mltranslate.cli.main as main, mltranslate.languages as languages; "
        "main.build_parser(); print(languages._table.cache_info().currsize)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout.strip() == "0"
