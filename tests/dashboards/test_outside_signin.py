"""Signing in by a real OpenLDAP and by a local OpenID provider that speaks the real protocol."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboards.settings import LdapSignIn, OidcSignIn
from dashboards.tokens import Tokens
from dashboards.users import Role
from hinomi.errors import InputError
from tests.dashboards import provider
from tests.dashboards.browse import Browser, browser
from tests.dashboards.city import City
from tests.responders import slapd


@pytest.fixture(scope="module")
def issuer() -> Iterator[provider.Provider]:
    with provider.running() as made:
        yield made


@pytest.fixture
def oidc(issuer: provider.Provider, monkeypatch: pytest.MonkeyPatch) -> OidcSignIn:
    """The settings of a city that signs in with it."""
    monkeypatch.setenv("OIDC_SECRET", provider.SECRET)
    issuer.claims, issuer.lie, issuer.wrong_key = {}, {}, False
    return OidcSignIn.model_validate(
        {
            "issuer": issuer.address,
            "client_id": provider.CLIENT,
            "client_secret": "env:OIDC_SECRET",
            "address": "http://testserver",
            "roles": {"soc": [Role.ANALYST.value]},
        }
    )


def _there_and_back(visitor: Browser) -> httpx.Response:
    """As a browser goes: to the provider, and back with what it gives."""
    away = visitor.get("/sign-in/oidc?next=/search")
    assert away.status_code == 303, away.text
    back = httpx.get(away.headers["location"]).headers["location"]
    assert back.startswith("http://testserver/sign-in/oidc/back?")
    return visitor.get(provider.path_of(back))


def test_openid_sign_in_gives_the_roles_of_the_groups(
    own_city: City, oidc: OidcSignIn, issuer: provider.Provider
) -> None:
    """A member of the group gets in as an analyst and lands where they wanted; the account is noted as external."""
    issuer.claims = {
        "preferred_username": "a.gaibu@city.example.jp",
        "name": "外部 明",
        "groups": ["soc", "x"],
    }
    visitor = browser(own_city, oidc=oidc)
    assert "OpenID でサインイン" in visitor.get("/sign-in").text
    assert _there_and_back(visitor).headers["location"] == "/search"
    assert "外部 明" in visitor.get("/").text
    held = own_city.users.find("a.gaibu")
    assert held is not None
    assert (held.source, held.roles) == ("oidc", ["analyst"])
    assert browser(own_city).sign_in("a.gaibu", "").status_code == 401  # no password here


@pytest.mark.parametrize(
    ("lie", "wrong_key"),
    [
        ({"aud": "another"}, False),
        ({"iss": "https://evil.example"}, False),
        ({"nonce": "stolen"}, False),
        ({"exp": 1}, False),
        ({}, True),
    ],
)
def test_openid_token_that_does_not_hold_is_refused(
    own_city: City, oidc: OidcSignIn, issuer: provider.Provider, lie: dict[str, Any], wrong_key: bool
) -> None:
    """Another audience, issuer, nonce or key, or an old token, opens nothing."""
    issuer.claims = {"preferred_username": "a.gaibu", "groups": ["soc"]}
    issuer.lie, issuer.wrong_key = lie, wrong_key
    visitor = browser(own_city, oidc=oidc)
    assert _there_and_back(visitor).status_code == 403
    assert own_city.users.find("a.gaibu") is None


def test_openid_state_code_and_names(own_city: City, oidc: OidcSignIn, issuer: provider.Provider) -> None:
    """A forged state is refused, a code counts once, a local account cannot be taken over, no group no entry."""
    issuer.claims = {"preferred_username": "a.gaibu", "groups": ["soc"]}
    visitor = browser(own_city, oidc=oidc)
    away = visitor.get("/sign-in/oidc")
    back = provider.path_of(httpx.get(away.headers["location"]).headers["location"])
    assert visitor.get(back.replace("state=", "state=x")).status_code == 403
    assert browser(own_city, oidc=oidc).get(back).headers["location"] == "/sign-in"  # another browser
    assert visitor.get(back).status_code == 303
    again = browser(own_city, oidc=oidc)
    again.get("/sign-in/oidc")
    again.cookies = visitor.cookies
    assert again.get(back).status_code in {303, 403, 503}
    issuer.claims = {"preferred_username": "m.kato", "groups": ["soc"]}
    assert _there_and_back(browser(own_city, oidc=oidc)).status_code == 400
    [refused] = [
        one
        for one in browser(own_city).audited("console.sign_in")
        if one["details"].get("how") and one["actor"] == "m.kato"
    ]
    assert refused["details"]["outcome"] == "kept_elsewhere"
    issuer.claims = {"preferred_username": "stranger", "groups": ["other"]}
    assert _there_and_back(browser(own_city, oidc=oidc)).status_code == 403
    assert browser(own_city).get("/sign-in/oidc").status_code == 403


def test_openid_provider_that_is_down(own_city: City, oidc: OidcSignIn) -> None:
    """A provider that does not answer is said in words."""
    gone = oidc.model_copy(update={"issuer": "http://127.0.0.1:9"})
    answer = browser(own_city, oidc=gone).get("/sign-in/oidc")
    assert answer.status_code == 503
    assert "認証の提供元が応答しません" in answer.text


@pytest.mark.peer
def test_directory_password_signs_in(own_city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a real OpenLDAP: right password and group open, everything else looks like a wrong password; a filter
    in the name finds nobody; an empty password is never sent; a local account stays local."""
    group = (
        f"\ndn: cn=soc,{slapd.BASE}\nobjectClass: groupOfNames\ncn: soc\nmember: uid=t.yamada,{slapd.BASE}\n"
    )
    with slapd.directory(tmp_path / "slapd", group) as server:
        monkeypatch.setenv("LDAP_PASSWORD", slapd.ROBOT_PASSWORD)
        ldap = LdapSignIn.model_validate(
            {
                "url": server.url,
                "base": slapd.BASE,
                "bind_dn": slapd.ROBOT,
                "password": "env:LDAP_PASSWORD",
                "roles": {f"cn=soc,{slapd.BASE}": ["analyst"]},
                "organizations": {f"CN=soc,{slapd.BASE}": ["higashi"]},
            }
        )
        elsewhere = ldap.model_copy(update={"organizations": {f"cn=west,{slapd.BASE}": ["nishi"]}})
        assert browser(own_city, ldap=elsewhere).sign_in("t.yamada", slapd.PERSON_PASSWORD).status_code == 401
        visitor = browser(own_city, ldap=ldap)
        assert visitor.sign_in("t.yamada", slapd.PERSON_PASSWORD).status_code == 303
        held = own_city.users.find("t.yamada")
        assert held is not None and (held.source, held.organizations) == ("ldap", ["higashi"])
        for name, password in (
            ("t.yamada", "wrong"),
            ("t.yamada", ""),
            ("*", slapd.PERSON_PASSWORD),
            ("t.yamada)(uid=*", slapd.PERSON_PASSWORD),
            ("m.kato", slapd.PERSON_PASSWORD),
            ("hinomi", slapd.ROBOT_PASSWORD),
        ):
            assert browser(own_city, ldap=ldap).sign_in(name, password).status_code == 401, name
    assert browser(own_city, ldap=ldap).sign_in("t.yamada", slapd.PERSON_PASSWORD).status_code == 503


def _town(entry_uuid: str, above: str = slapd.BASE) -> str:
    """LDIF of one person with this entryUUID below that DN, and of the group that lets them in."""
    person, group = f"uid=s.sato,{above}", f"cn=soc,{slapd.BASE}"
    unit = f"dn: {above}\nobjectClass: organizationalUnit\nou: zeimu\n\n" if above != slapd.BASE else ""
    held = (
        f"objectClass: inetOrgPerson\nuid: s.sato\ncn: 佐藤\nsn: 佐藤\nuserPassword: {slapd.PERSON_PASSWORD}"
    )
    return (
        f"\n{unit}dn: {person}\n{held}\nentryUUID: {entry_uuid}\n\n"
        f"dn: {group}\nobjectClass: groupOfNames\ncn: soc\nmember: {person}\n"
    )


@pytest.mark.peer
def test_an_account_made_anew_in_the_directory_is_somebody_else(
    own_city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a real OpenLDAP: a person who moves to another unit keeps the account; somebody whose entry was made anew under the
    same uid does not get in, which the audit log says, until an administrator passes the account on."""
    first, second = "6f1e3c1a-0000-4000-8000-000000000001", "6f1e3c1a-0000-4000-8000-000000000002"
    monkeypatch.setenv("LDAP_PASSWORD", slapd.ROBOT_PASSWORD)

    def comes(folder: str, ldif: str, *, passed_on: bool = False) -> list[int]:
        with slapd.directory(tmp_path / folder, ldif) as server:
            settings = {"url": server.url, "base": slapd.BASE, "bind_dn": slapd.ROBOT}
            roles = {"roles": {f"cn=soc,{slapd.BASE}": ["analyst"]}, "password": "env:LDAP_PASSWORD"}
            ldap = LdapSignIn.model_validate({**settings, **roles})
            codes = [browser(own_city, ldap=ldap).sign_in("s.sato", slapd.PERSON_PASSWORD).status_code]
            if passed_on:
                own_city.users.release("s.sato")
                codes.append(
                    browser(own_city, ldap=ldap).sign_in("S.Sato ", slapd.PERSON_PASSWORD).status_code
                )
        return codes

    assert comes("hired", _town(first)) == [303]
    own_city.users.set_organizations("s.sato", ["higashi"])
    assert comes("moved", _town(first, f"ou=zeimu,{slapd.BASE}")) == [303]
    assert comes("left", _town(second), passed_on=True) == [400, 303]
    said = [one.body["details"] for one in own_city.records.find("audit", {"action": "console.sign_in"})]
    assert [one["outcome"] for one in said] == ["success", "success", "somebody_elses", "success"]


@pytest.mark.peer
def test_one_entry_with_two_names_is_one_account(
    own_city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a real OpenLDAP, whose `uid` may have several values: the second name of an entry opens no second account, with
    which one person would be the two who must agree, until the first is passed on."""
    monkeypatch.setenv("LDAP_PASSWORD", slapd.ROBOT_PASSWORD)
    twice = _town("6f1e3c1a-0000-4000-8000-000000000003").replace(
        "uid: s.sato\n", "uid: s.sato\nuid: s.tanaka\n"
    )
    with slapd.directory(tmp_path / "slapd", twice) as server:
        settings = {"url": server.url, "base": slapd.BASE, "bind_dn": slapd.ROBOT}
        roles = {"roles": {f"cn=soc,{slapd.BASE}": ["ciso"]}, "password": "env:LDAP_PASSWORD"}
        ldap = LdapSignIn.model_validate({**settings, **roles})

        def comes(name: str) -> httpx.Response:
            return browser(own_city, ldap=ldap).sign_in(name, slapd.PERSON_PASSWORD)

        assert comes("s.sato").status_code == 303
        refused = comes("s.tanaka")
        assert refused.status_code == 400 and "hinomi users release s.sato" in refused.text
        assert own_city.users.find("s.tanaka") is None and comes("s.sato").status_code == 303
        own_city.users.release("s.sato")
        assert [comes(name).status_code for name in ("s.tanaka", "s.sato")] == [303, 400]


def test_only_the_name_of_an_account_is_passed_on(own_city: City) -> None:
    """Who had it keeps neither session nor token, permit nor office; who comes has no second factor of theirs. An account of
    the console itself passes to nobody."""
    users, records = own_city.users, own_city.records
    users.external("t.yamada", "", ["ciso"], "oidc", ["higashi"], "provider|1")
    users.change("t.yamada", {"totp": "a", "totp_new": "b", "totp_last": 7, "recovery": ["c"]})
    secret = Tokens(records, own_city.clock).make("t.yamada", "script", ["approve"], 30)
    records.put("session", "s1", {"user": "t.yamada"})
    for kind in ("first_permit", "delegation"):
        for giver, taker in (("t.yamada", "sato"), ("sato", "t.yamada"), ("sato", "kato")):
            records.put(kind, f"{giver}-{taker}", {"giver": giver, "taker": taker, "state": "open"})
    users.release("T.Yamada ")
    held = users.find("t.yamada")
    assert held is not None and not (held.totp or held.totp_new or held.totp_last or held.recovery)
    assert (held.subject, held.roles, held.organizations) == ("", [], [])
    assert Tokens(records, own_city.clock).find(secret) is None and records.get("session", "s1") is None
    for kind in ("first_permit", "delegation"):
        assert [one.id for one in records.find(kind, {"state": "open"})] == ["sato-kato"]
    users.release("t.yamada", ["nishi"])
    assert users.external("t.yamada", "", ["viewer"], "oidc", None, "provider|2").organizations == ["nishi"]
    users.create("local", "correct horse battery", ["ciso"])
    with pytest.raises(InputError, match="引き継げません"):
        users.release("local")


@pytest.mark.peer
def test_the_day_the_bind_account_may_read_more(
    own_city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a real OpenLDAP: an account held by its entry's DN, because nothing better could be read, is held by entryUUID from
    the first sign-in that reads it, which the audit log says once; a DN of another entry opens nothing."""
    monkeypatch.setenv("LDAP_PASSWORD", slapd.ROBOT_PASSWORD)
    uuid, dn = "6f1e3c1a-0000-4000-8000-000000000001", f"uid=s.sato,{slapd.BASE}".lower()
    with slapd.directory(tmp_path / "slapd", _town(uuid)) as server:
        settings = {"url": server.url, "base": slapd.BASE, "bind_dn": slapd.ROBOT}
        roles = {"roles": {f"cn=soc,{slapd.BASE}": ["analyst"]}, "password": "env:LDAP_PASSWORD"}
        ldap = LdapSignIn.model_validate({**settings, **roles})

        def comes() -> int:
            return browser(own_city, ldap=ldap).sign_in("s.sato", slapd.PERSON_PASSWORD).status_code

        own_city.users.external("s.sato", "", ["viewer"], "ldap", None, f"dn|uid=another,{slapd.BASE}")
        assert comes() == 400
        own_city.users.change("s.sato", {"subject": f"dn|{dn}"})
        assert [comes(), comes()] == [303, 303]
        own_city.users.external("sato2", "", ["viewer"], "ldap", None, f"dn|{dn}")
        assert comes() == 400  # one entry, one account, by either name of it
    held = own_city.users.find("s.sato")
    assert held is not None and held.subject == f"entryUUID|{uuid}"
    said = [one.body["details"] for one in own_city.records.find("audit", {"action": "console.sign_in"})]
    assert [one["outcome"] for one in said] == [
        "somebody_elses",
        "subject_replaced",
        "success",
        "success",
        "somebody_elses",
    ]
    assert (said[1]["old"], said[1]["new"]) == (f"dn|{dn}", f"entryUUID|{uuid}")


def test_same_name_of_two_towns_is_not_one_account(
    own_city: City, oidc: OidcSignIn, issuer: provider.Provider
) -> None:
    """What stands before the @ is no person: whoever signs in second under it is refused and changes nothing; an account
    from before subjects were kept becomes the first one's who signs in."""
    mapped = oidc.model_copy(update={"organizations": {"east": ["higashi"], "west": ["nishi"]}})
    own_city.users.external("t.yamada", "", ["viewer"], "oidc", ["higashi"])

    def comes(town: str) -> int:
        name = f"t.yamada@{town}.jp"
        issuer.claims = {"preferred_username": name, "sub": town, "name": name, "groups": ["soc", town]}
        return _there_and_back(browser(own_city, oidc=mapped)).status_code

    assert [comes("east"), comes("west"), comes("east")] == [303, 400, 303]
    held = own_city.users.find("t.yamada")
    assert held is not None and held.subject == f"{issuer.address}|east"
    assert (held.full_name, held.roles, held.organizations) == ("t.yamada@east.jp", ["analyst"], ["higashi"])
    own_city.users.release("t.yamada")  # the administrator's word that the account passes on
    assert [comes("west"), comes("east")] == [303, 400]


@pytest.mark.parametrize(
    ("groups", "status", "seen"),
    [
        (["soc", "east"], 303, ["higashi"]),
        (["soc", "east", "west"], 303, ["higashi", "nishi"]),
        (["soc", "east", "centre"], 303, []),
        (["soc"], 403, None),
        (["soc", "empty"], 403, None),
    ],
)
def test_groups_say_whose_things_are_seen(
    own_city: City,
    oidc: OidcSignIn,
    issuer: provider.Provider,
    groups: list[str],
    status: int,
    seen: list[str] | None,
) -> None:
    """Where the mapping is written, a group decides whose things its members see; whoever is in none gets in nowhere,
    rather than everywhere."""
    issuer.claims = {"preferred_username": "a.gaibu", "groups": groups}
    mapped = {"east": ["higashi"], "west": ["nishi"], "centre": ["*"], "empty": []}
    visitor = browser(own_city, oidc=oidc.model_copy(update={"organizations": mapped}))
    assert _there_and_back(visitor).status_code == status
    held = own_city.users.find("a.gaibu")
    assert (held.organizations if held else None) == seen
