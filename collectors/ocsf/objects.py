"""OCSF's objects as ECS fields: endpoints, people, devices, processes, files, requests, findings.

Facts: OCSF schema browser, "Objects" (network_endpoint, user, actor, device, process, file, fingerprint,
http_request, url, dns_query, email, cloud, finding_info). `-` says that there is no value.
"""

from typing import Any

from collectors.records import Flat, address, at, first_address, items, text, url

_ALGORITHMS = {"1": "md5", "2": "sha1", "3": "sha256", "4": "sha512"}
_DIRECTIONS = {"0": "unknown", "1": "inbound", "2": "outbound", "3": "internal"}


def whole(document: Any, *path: str) -> int | None:
    """A number there; None for anything else."""
    value = at(document, *path)
    return value if type(value) is int else None


def endpoint(given: Any, end: str) -> Flat:
    """A network endpoint as `source.*` or `destination.*`."""
    ip, _ = first_address(at(given, "ip"), at(given, "intermediate_ips"))
    return {
        f"{end}.ip": ip,
        f"{end}.port": text(given, "port"),
        f"{end}.domain": text(given, "hostname") or text(given, "domain"),
        f"{end}.mac": text(given, "mac"),
        f"{end}.geo.country_iso_code": _country(text(given, "location", "country")),
        f"{end}.geo.city_name": text(given, "location", "city"),
        f"{end}.as.number": text(given, "autonomous_system", "number"),
        f"{end}.as.organization.name": text(given, "autonomous_system", "name"),
    }


def _country(value: str | None) -> str | None:
    return value if value and len(value) == 2 else None


def network(record: dict[str, Any]) -> Flat:
    """connection_info and traffic. `bytes_out` goes from source to destination."""
    connection, traffic = at(record, "connection_info"), at(record, "traffic")
    number, name = text(connection, "protocol_num"), text(connection, "protocol_name")
    total = text(traffic, "bytes")
    return {
        "network.transport": name.lower() if name else None,
        "network.iana_number": number if number and number.isdecimal() else None,
        "network.direction": _DIRECTIONS.get(str(text(connection, "direction_id"))),
        "network.application": text(record, "app_name"),
        "network.community_id": text(connection, "community_uid"),
        "network.bytes": total,
        "network.packets": text(traffic, "packets"),
        "source.bytes": text(traffic, "bytes_out"),
        "source.packets": text(traffic, "packets_out"),
        "destination.bytes": text(traffic, "bytes_in"),
        "destination.packets": text(traffic, "packets_in"),
        "tls.version": text(record, "tls", "version"),
        "tls.cipher": text(record, "tls", "cipher"),
        "tls.client.server_name": text(record, "tls", "sni"),
    }


def person(given: Any, prefix: str) -> Flat:
    """A user object as `user.*` or `user.target.*`."""
    groups = [name for one in items(given, "groups") if (name := text(one, "name"))]
    return {
        f"{prefix}.name": text(given, "name"),
        f"{prefix}.id": text(given, "uid"),
        f"{prefix}.domain": text(given, "domain"),
        f"{prefix}.email": text(given, "email_addr"),
        f"{prefix}.full_name": text(given, "full_name"),
        f"{prefix}.roles": groups,
    }


def device(record: dict[str, Any]) -> Flat:
    """The device that an event is about as `host.*`."""
    given = at(record, "device")
    ips = [ip for value in (at(given, "ip"), *items(given, "ip_addresses")) if (ip := address(value)[0])]
    return {
        "host.name": text(given, "hostname") or text(given, "name"),
        "host.id": text(given, "uid"),
        "host.ip": ips,
        "host.mac": text(given, "mac"),
        "host.domain": text(given, "domain"),
        "host.os.name": text(given, "os", "name"),
        "host.os.version": text(given, "os", "version"),
    }


def process(given: Any, prefix: str) -> Flat:
    """A process object as `process.*` or `process.parent.*`."""
    return {
        f"{prefix}.name": text(given, "name") or text(given, "file", "name"),
        f"{prefix}.executable": text(given, "path") or text(given, "file", "path"),
        f"{prefix}.command_line": text(given, "cmd_line"),
        f"{prefix}.pid": text(given, "pid"),
        f"{prefix}.entity_id": text(given, "uid"),
        f"{prefix}.working_directory": text(given, "working_directory"),
        **{f"{prefix}.{name}": value for name, value in hashes(at(given, "file")).items()},
    }


def file(given: Any) -> Flat:
    """A file object as `file.*`."""
    extension = text(given, "ext")
    return {
        "file.name": text(given, "name"),
        "file.path": text(given, "path"),
        "file.directory": text(given, "parent_folder"),
        "file.extension": extension.lstrip(".") if extension else None,
        "file.size": text(given, "size"),
        "file.mime_type": text(given, "mime_type"),
        "file.owner": text(given, "owner", "name"),
        **{f"file.{name}": value for name, value in hashes(given).items()},
    }


def hashes(given: Any) -> Flat:
    """`hash.*` of a file's fingerprints; the first of each algorithm."""
    found: Flat = {}
    for one in items(given, "hashes") or items(given, "fingerprints"):
        name = (text(one, "algorithm") or "").lower().replace("-", "")
        algorithm = _ALGORITHMS.get(str(text(one, "algorithm_id"))) or name
        if algorithm in _ALGORITHMS.values() and text(one, "value"):
            found.setdefault(f"hash.{algorithm}", text(one, "value"))
    return found


def web(record: dict[str, Any]) -> Flat:
    """http_request and http_response; the URL as text or in parts."""
    request, response = at(record, "http_request"), at(record, "http_response")
    asked = at(request, "url")
    if not isinstance(asked, dict):
        others = (at(record, "url"), next(iter(items(record, "web_resources")), None))
        asked = next((one for one in others if isinstance(one, dict)), {})
    written = text(asked, "url_string") or text(asked, "text") or text(request, "url")
    found = {
        "url.original": written,
        "url.domain": text(asked, "hostname") or text(asked, "domain"),
        "url.path": text(asked, "path"),
        "url.port": text(asked, "port"),
        "url.query": text(asked, "query_string") or text(asked, "query") or text(request, "args"),
        "url.scheme": text(asked, "scheme"),
        "http.request.method": text(request, "http_method"),
        "http.request.referrer": text(request, "referrer"),
        "http.request.id": text(request, "uid"),
        "http.version": (text(request, "version") or "").removeprefix("HTTP/"),
        "http.response.status_code": text(response, "code"),
        "http.response.body.bytes": text(response, "length"),
        "user_agent.original": text(request, "user_agent"),
    }
    whole_url = {name: value for name, value in url(written).items() if value is not None}
    return {**whole_url, **{name: value for name, value in found.items() if value}}


def dns(record: dict[str, Any]) -> Flat:
    """query and answers of DNS activity."""
    query = at(record, "query")
    answers = [one for one in items(record, "answers") if isinstance(one, dict)]
    data = [value for one in answers if (value := text(one, "rdata"))]
    code = text(record, "rcode")
    return {
        "dns.question.name": text(query, "hostname"),
        "dns.question.type": text(query, "type"),
        "dns.question.class": text(query, "class"),
        "dns.answers.data": data,
        "dns.answers.type": [value for one in answers if (value := text(one, "type"))],
        "dns.resolved_ip": [value for value in data if address(value)[0]],
        "dns.response_code": code.upper() if code and query is not None else None,
    }


def email(record: dict[str, Any]) -> Flat:
    """The message of email activity."""
    given = at(record, "email")
    return {
        "email.from.address": text(given, "from") or text(given, "smtp_from"),
        "email.to.address": items(given, "to") or items(given, "smtp_to"),
        "email.cc.address": items(given, "cc"),
        "email.subject": text(given, "subject"),
        "email.message_id": text(given, "message_uid"),
        "email.reply_to.address": text(given, "reply_to"),
    }


def cloud(record: dict[str, Any]) -> Flat:
    """The cloud profile."""
    given = at(record, "cloud")
    provider = text(given, "provider")
    return {
        "cloud.provider": provider.lower() if provider else None,
        "cloud.region": text(given, "region"),
        "cloud.availability_zone": text(given, "zone"),
        "cloud.account.id": text(given, "account", "uid") or text(given, "account_uid"),
        "cloud.account.name": text(given, "account", "name"),
    }


def finding(record: dict[str, Any]) -> Flat:
    """What a finding or a control's rule says; the first malware and vulnerability."""
    info = at(record, "finding_info") or at(record, "finding")
    rule = at(record, "firewall_rule") or at(record, "rule") or at(record, "analytic") or at(info, "analytic")
    first = next(iter(items(record, "vulnerabilities")), None)
    attack = next(iter(items(record, "attacks") or items(info, "attacks")), None)
    tactic = at(attack, "tactic") or next(iter(items(attack, "tactics")), None)
    return {
        "rule.name": text(rule, "name"),
        "rule.id": text(rule, "uid"),
        "rule.category": text(rule, "category") or text(rule, "type"),
        "event.reference": text(info, "src_url"),
        "message": text(record, "message") or text(info, "title"),
        "vulnerability.id": text(first, "cve", "uid"),
        "vulnerability.description": text(first, "desc"),
        "threat.technique.id": text(attack, "technique", "uid"),
        "threat.technique.name": text(attack, "technique", "name"),
        "threat.tactic.id": text(tactic, "uid"),
        "threat.tactic.name": text(tactic, "name"),
        "threat.software.name": text(next(iter(items(record, "malware")), None), "name"),
    }


def registry(record: dict[str, Any]) -> Flat:
    """The Windows extension's keys and values."""
    key, value = at(record, "reg_key"), at(record, "reg_value")
    return {
        "registry.path": text(key, "path") or text(value, "path"),
        "registry.value": text(value, "name"),
        "registry.data.type": text(value, "type"),
    }
