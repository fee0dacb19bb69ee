"""What a GuardDuty finding says was done, by whom, to which resource.

Facts: AWS, "GuardDuty finding details" (`resource`, `service.action`, `service.runtimeDetails`).
"""

import re
from typing import Any

from collectors.records import Flat, at, first_address, items, text

_SHA256 = re.compile("[0-9A-Fa-f]{64}")
"""What a malware scan gives as `hash`, whose algorithm it does not name."""


def resource(finding: dict[str, Any]) -> Flat:
    """The people and machines of `resource`: access key, instance, EKS user, database user, container."""
    what = at(finding, "resource")
    user = at(what, "kubernetesDetails", "kubernetesUserDetails")
    return {
        "user.name": text(what, "accessKeyDetails", "userName")
        or text(user, "username")
        or text(what, "rdsDbUserDetails", "user"),
        "user.id": text(what, "accessKeyDetails", "principalId") or text(user, "uid"),
        "cloud.instance.id": text(what, "instanceDetails", "instanceId"),
        "cloud.machine.type": text(what, "instanceDetails", "instanceType"),
        "cloud.availability_zone": text(what, "instanceDetails", "availabilityZone"),
        "container.name": text(what, "containerDetails", "name"),
        "container.image.name": text(what, "containerDetails", "image"),
        "orchestrator.cluster.name": text(what, "eksClusterDetails", "name")
        or text(what, "ecsClusterDetails", "name"),
        **_malware(finding),
    }


def _malware(finding: dict[str, Any]) -> Flat:
    """The first file that malware protection found."""
    scan = at(finding, "service", "ebsVolumeScanDetails", "scanDetections", "threatDetectedByName")
    threat = next(
        iter(items(scan, "threatNames") or items(finding, "service", "malwareScanDetails", "threats")), None
    )
    place = next(iter(items(threat, "filePaths") or items(threat, "itemPaths")), None)
    path = text(place, "filePath") or text(place, "nestedItemPath")
    digest = text(place, "hash")
    return {
        "threat.software.name": text(threat, "name"),
        "file.path": path,
        "file.name": text(place, "fileName") or (path.rpartition("/")[2] if path else None),
        "file.hash.sha256": digest if digest and _SHA256.fullmatch(digest) else None,
        "aws.guardduty.malware.file.path": path,
        "aws.guardduty.malware.file.hash": digest,
    }


def action(finding: dict[str, Any]) -> Flat:
    """What happened, by `actionType`; processes of runtime monitoring beside it."""
    service = at(finding, "service")
    kind = text(service, "action", "actionType") or ""
    reader = _ACTIONS.get(kind)
    agent = text(service, "additionalInfo", "userAgent", "fullUserAgent")
    found = reader(at(service, "action"), finding) if reader else {}
    return {**found, **_runtime(service)} | ({"user_agent.original": agent} if agent else {})


def _remote(details: Any, end: str = "source") -> Flat:
    ip, _ = first_address(at(details, "ipAddressV4"), at(details, "ipAddressV6"))
    number = text(details, "organization", "asn")
    return {
        f"{end}.ip": ip,
        f"{end}.as.number": number if number and number.isdigit() else None,
        f"{end}.as.organization.name": text(details, "organization", "asnOrg"),
        f"{end}.geo.country_name": text(details, "country", "countryName"),
        f"{end}.geo.city_name": text(details, "city", "cityName"),
    }


def _local(action: Any, finding: dict[str, Any], end: str) -> Flat:
    interfaces = items(finding, "resource", "instanceDetails", "networkInterfaces")
    own = at(interfaces[0], "privateIpAddress") if interfaces else None
    ip, _ = first_address(at(action, "localIpDetails", "ipAddressV4"), own)
    return {f"{end}.ip": ip, f"{end}.port": text(action, "localPortDetails", "port")}


def _api_call(action: Any, _: dict[str, Any]) -> Flat:
    call = at(action, "awsApiCallAction")
    return {
        **_remote(at(call, "remoteIpDetails")),
        "source.domain": text(call, "domainDetails", "domain"),
        "event.code": text(call, "errorCode"),
        "event.provider": text(call, "serviceName"),
        "user_agent.original": text(call, "userAgent"),
    }


def _connection(action: Any, finding: dict[str, Any]) -> Flat:
    seen = at(action, "networkConnectionAction")
    inbound = text(seen, "connectionDirection") != "OUTBOUND"
    remote, local = ("source", "destination") if inbound else ("destination", "source")
    protocol = text(seen, "protocol")
    return {
        **_remote(at(seen, "remoteIpDetails"), remote),
        **_local(seen, finding, local),
        f"{remote}.port": text(seen, "remotePortDetails", "port"),
        "network.transport": protocol.lower() if protocol else None,
        "network.direction": "inbound" if inbound else "outbound",
    }


def _dns(action: Any, finding: dict[str, Any]) -> Flat:
    asked = at(action, "dnsRequestAction")
    protocol = text(asked, "protocol")
    return {
        **_local(None, finding, "source"),
        "dns.question.name": text(asked, "domain"),
        "network.transport": protocol.lower() if protocol else None,
        "network.protocol": "dns",
    }


def _probe(action: Any, finding: dict[str, Any]) -> Flat:
    probed = next(iter(items(action, "portProbeAction", "portProbeDetails")), None)
    return {**_remote(at(probed, "remoteIpDetails")), **_local(probed, finding, "destination")}


def _kubernetes(action: Any, _: dict[str, Any]) -> Flat:
    call = at(action, "kubernetesApiCallAction")
    remote = _remote(at(call, "remoteIpDetails"))
    if remote["source.ip"] is None:
        remote["source.ip"] = first_address(*items(call, "sourceIPs"))[0]
    verb = text(call, "verb")
    return {
        **remote,
        "url.path": text(call, "requestUri"),
        "http.request.method": verb,
        "http.response.status_code": text(call, "statusCode"),
        "user_agent.original": text(call, "userAgent"),
    }


def _login(action: Any, _: dict[str, Any]) -> Flat:
    return _remote(at(action, "rdsLoginAttemptAction", "remoteIpDetails"))


_ACTIONS = {
    "AWS_API_CALL": _api_call,
    "NETWORK_CONNECTION": _connection,
    "DNS_REQUEST": _dns,
    "PORT_PROBE": _probe,
    "KUBERNETES_API_CALL": _kubernetes,
    "RDS_LOGIN_ATTEMPT": _login,
}


def _runtime(service: Any) -> Flat:
    """The process; its user with that user's own number, never the number of another whom the resource names."""
    process = at(service, "runtimeDetails", "process")
    if process is None:
        return {}
    parent = next(iter(items(process, "lineage")), None)
    found = {
        "process.name": text(process, "name"),
        "process.executable": text(process, "executablePath"),
        "process.pid": text(process, "pid"),
        "process.hash.sha256": text(process, "executableSha256"),
        "process.parent.executable": text(parent, "executablePath"),
        "process.parent.pid": text(parent, "pid"),
    }
    known = {name: value for name, value in found.items() if value is not None}
    name = text(process, "user")
    return known | {"user.name": name, "user.id": text(process, "userId")} if name else known
