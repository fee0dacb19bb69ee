"""What each Windows event id means: (action, category, type).

Sources: Microsoft, "Security auditing events" and the providers' manifests; Sysinternals, Sysmon
manual. The action names are those of Elastic's Windows integrations where it has one, so that rules
written for it keep working.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """event.action, event.category, event.type."""

    action: str
    category: tuple[str, ...]
    type: tuple[str, ...]


def _table(text: str) -> dict[str, Kind]:
    """Lines of `id[,id…] action category[,…] type[,…]`."""
    kinds: dict[str, Kind] = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        codes, action, category, types = line.split()
        for code in codes.split(","):
            kinds[code] = Kind(action, tuple(category.split(",")), tuple(types.split(",")))
    return kinds


SECURITY = _table("""
1100 logging-service-shutdown process end
1102 audit-log-cleared iam admin,change
1104 logging-full iam admin
1105 auditlog-archived iam admin
1108 logging-processing-error iam admin
4608 system-started host start
4609 system-stopped host end
4610,4611,4614,4622 security-package-loaded configuration change
4612 audit-messages-discarded iam admin
4616 system-time-changed host change
4618 monitored-security-event-occurred intrusion_detection info
4624 logged-in authentication start
4625 logon-failed authentication start
4634 logged-out authentication end
4647 logged-out authentication end
4648 logged-in-explicit authentication start
4649 replay-attack-detected authentication,intrusion_detection info
4656 object-handle-requested file access
4657 registry-value-modified registry,configuration change
4658 object-handle-closed file info
4660 object-deleted file deletion
4661 object-handle-requested iam access
4662 object-operation-performed iam access
4663 object-access-attempted file access
4664 hard-link-created file creation
4670 permissions-changed iam,configuration admin,change
4672 logged-in-special iam admin
4673 privileged-service-called iam admin
4674 privileged-operation iam admin
4688 created-process process start
4689 exited-process process end
4690 object-handle-duplicated process access
4692,4693,4694,4695 dpapi-operation iam access
4696 primary-token-assigned process info
4697 service-installed iam,configuration admin,change
4698 scheduled-task-created iam,configuration creation,admin
4699 scheduled-task-deleted iam,configuration deletion,admin
4700 scheduled-task-enabled iam,configuration change,admin
4701 scheduled-task-disabled iam,configuration change,admin
4702 scheduled-task-updated iam,configuration change,admin
4703 user-right-adjusted iam change
4704 user-right-assigned iam admin,change
4705 user-right-removed iam admin,change
4706,4707,4716,4865,4866,4867 domain-trust-changed configuration change
4713 kerberos-policy-changed configuration change
4714 encrypted-data-recovery-policy-changed configuration change
4715 object-audit-policy-changed configuration change
4717 system-security-access-granted iam admin,change
4718 system-security-access-removed iam admin,deletion
4719 changed-audit-config iam,configuration admin,change
4720 added-user-account iam user,creation
4722 enabled-user-account iam user,change
4723 changed-password iam user,change
4724 reset-password iam user,change
4725 disabled-user-account iam user,deletion
4726 deleted-user-account iam user,deletion
4727,4731,4744,4749,4754,4759 added-group-account iam group,creation
4728,4732,4746,4751,4756,4761 added-member-to-group iam group,change
4729,4733,4747,4752,4757,4762 removed-member-from-group iam group,change
4730,4734,4748,4753,4758,4763 deleted-group-account iam group,deletion
4735,4737,4745,4750,4755,4760 modified-group-account iam group,change
4738 modified-user-account iam user,change
4739 domain-policy-changed configuration change
4740 locked-out-user-account iam user,change
4741 added-computer-account iam creation,admin
4742 changed-computer-account iam change,admin
4743 deleted-computer-account iam deletion,admin
4764 type-changed-group-account iam group,change
4765,4766 sid-history-added iam user,change
4767 unlocked-user-account iam user,change
4768 kerberos-authentication-ticket-requested authentication start
4769 kerberos-service-ticket-requested authentication start
4770 kerberos-service-ticket-renewed authentication start
4771 kerberos-preauth-failed authentication start
4772,4773 kerberos-ticket-request-failed authentication start
4774,4775 mapped-for-logon authentication start
4776 credential-validated authentication start
4777 credential-validation-failed authentication start
4778 session-reconnected authentication,session start
4779 session-disconnected authentication,session end
4780 administrators-acl-set iam admin,change
4781 renamed-user-account iam user,change
4793 password-policy-api-called iam user,info
4794 dsrm-password-set iam admin,change
4797 blank-password-queried iam user,info
4798 group-membership-enumerated iam user,info
4799 user-member-enumerated iam user,info
4800 workstation-locked session info
4801 workstation-unlocked session info
4802,4803 screensaver-changed session info
4817 object-audit-changed iam,configuration admin,change
4825 rdp-access-denied authentication,session denied
4826 boot-configuration-loaded configuration info
4870,4871,4872,4873,4874,4885,4890,4891,4892,4899,4900 certificate-services-changed configuration change
4886,4887,4888 certificate-requested iam info
4902 user-audit-policy-created iam,configuration admin,creation
4904,4905 security-event-source-changed iam,configuration admin,change
4906 crash-on-audit-changed iam,configuration admin,change
4907 audit-setting-changed iam,configuration admin,change
4908 special-group-table-changed iam,configuration admin,change
4912 per-user-audit-policy-changed iam,configuration admin,change
4928,4929,4930,4931,4932,4933,4934,4935,4936,4937 directory-replication iam info
4944,4945,4946,4947,4948,4949,4950 firewall-rule-changed configuration change
4951,4952,4953,4954,4956,4957,4958 firewall-rule-changed configuration change
4964 logged-in-special iam admin,group
4985 transaction-changed file change
5024 firewall-service-started process start
5025 firewall-service-stopped process end
5031 firewall-blocked-application network denied
5058,5059,5061 cryptographic-operation iam access
5136 directory-object-modified iam change
5137 directory-object-created iam creation
5138 directory-object-undeleted iam creation
5139 directory-object-moved iam change
5140 network-share-object-accessed network,file access
5141 directory-object-deleted iam deletion
5142 network-share-object-added network,file creation
5143 network-share-object-modified network,file change
5144 network-share-object-deleted network,file deletion
5145 network-share-object-access-checked network,file access
5152,5157 windows-firewall-packet-block network denied
5153,5155,5159 windows-firewall-blocked network denied
5154,5158 windows-firewall-listen network allowed
5156 windows-firewall-connection network allowed
5376 credential-manager-backed-up iam admin
5377 credential-manager-restored iam admin
5379,5381,5382 vault-credentials-were-read iam user,info
6272,6278 network-policy-access-granted authentication start,allowed
6273,6274,6275,6276,6277 network-policy-access-denied authentication start,denied
6279,6280 network-policy-account-locked iam user,change
6416 external-device-recognized host info
6419,6420,6421,6422,6423,6424 device-changed host change
""")

SYSMON = _table("""
1 process-created process start
2 file-time-changed file change
3 network-connection network connection,start,protocol
4 sysmon-service-changed process change
5 process-terminated process end
6 driver-loaded driver start
7 image-loaded library start
8 remote-thread-created process access
9 raw-access-read process access
10 process-accessed process access
11 file-created file creation
12 registry-key-changed registry,configuration change
13 registry-value-set registry,configuration change
14 registry-renamed registry,configuration change
15 file-stream-created file creation
16 sysmon-configuration-changed configuration change
17 pipe-created file creation
18 pipe-connected file access
19,20,21 wmi-persistence-changed configuration creation
22 dns-query network connection,protocol,info
23 file-deleted file deletion
24 clipboard-changed host change
25 process-tampering process change
26 file-deletion-detected file deletion
27 executable-blocked file creation,denied
28 shredding-blocked file deletion,denied
29 executable-detected file creation
255 sysmon-error process info
""")

POWERSHELL = _table("""
400 engine-started process start
403 engine-stopped process end
500 command-started process start
501 command-stopped process end
600 provider-started process info
800 pipeline-executed process info
4100 error process error
4103 command-invoked process info
4104 script-block-logged process info
4105 script-block-started process start
4106 script-block-stopped process end
40961,40962,53504 console-started process start
""")

OTHERS = {
    "Service Control Manager": _table("""
7045 service-installed configuration,iam creation,admin
7040 service-start-type-changed configuration change
7036 service-state-changed process change
7034,7031 service-crashed process end
7009,7011,7022,7023,7024,7000 service-failed process error
"""),
    "Microsoft-Windows-Eventlog": _table("""
104 event-log-cleared iam admin,change
1100 logging-service-shutdown process end
1101 audit-messages-dropped iam admin
1102 audit-log-cleared iam admin,change
1104 logging-full iam admin
1105 auditlog-archived iam admin
1108 logging-processing-error iam admin
"""),
    "EventLog": _table("""
6005 event-log-started host start
6006 event-log-stopped host end
6008 unexpected-shutdown host end
6009,6013 system-information host info
"""),
    "User32": _table("1074 shutdown-initiated host end"),
    "Microsoft-Windows-Kernel-General": _table("""
1 system-time-changed host change
12 system-started host start
13 system-stopped host end
"""),
    "Microsoft-Windows-Windows Defender": _table("""
1000,1001,1002 malware-scan malware info
1006,1015,1116 malware-detected malware info
1007,1117 malware-action-taken malware info
1008,1118,1119 malware-action-failed malware error
1009,1010,1011 quarantine-changed malware change
1013 history-deleted malware deletion
1121 attack-surface-reduction-blocked intrusion_detection denied
1122 attack-surface-reduction-audited intrusion_detection info
1123 controlled-folder-access-blocked intrusion_detection denied
5001 realtime-protection-disabled configuration change
5004,5007 defender-configuration-changed configuration change
5010,5012 scanning-disabled configuration change
5013 tamper-protection-blocked configuration denied
"""),
    "Microsoft-Windows-TaskScheduler": _table("""
106 scheduled-task-created configuration creation
140 scheduled-task-updated configuration change
141 scheduled-task-deleted configuration deletion
142 scheduled-task-disabled configuration change
129,200,100 scheduled-task-started process start
102,201 scheduled-task-finished process end
"""),
    "Microsoft-Windows-TerminalServices-LocalSessionManager": _table("""
21 session-logged-in authentication,session start
22 session-shell-started session start
23 session-logged-out authentication,session end
24 session-disconnected session end
25 session-reconnected authentication,session start
39,40 session-disconnected session end
"""),
    "Microsoft-Windows-TerminalServices-RemoteConnectionManager": _table("""
1149 remote-desktop-authenticated authentication,session start
261 remote-desktop-connection network connection
"""),
    "Microsoft-Windows-TerminalServices-Gateway": _table("""
200 rdgateway-authorized authentication start
201,301 rdgateway-refused authentication start
300 rdgateway-resource-authorized session info
302 rdgateway-connected session,network start
303 rdgateway-disconnected session,network end
"""),
    "RemoteAccess": _table("""
20250 vpn-connected authentication,session start
20271 vpn-refused authentication start
20272,20275 vpn-disconnected session end
20274 vpn-address-assigned session,network info
"""),
    "Microsoft-Windows-WMI-Activity": _table("""
5857 wmi-provider-started process start
5858 wmi-operation-failed process error
5859,5860,5861 wmi-subscription-created configuration creation
"""),
    "Microsoft-Windows-Bits-Client": _table("""
3 transfer-job-created network,file creation
59 transfer-started network,file start
60 transfer-stopped network,file end
61 transfer-stopped network,file end
"""),
    "Microsoft-Windows-AppLocker": _table("""
8002,8005,8020,8023 application-allowed process allowed
8003,8006,8021,8024 application-audited process allowed
8004,8007,8022,8025 application-blocked process denied
"""),
    "Microsoft-Windows-DNS-Client": _table("3006,3008,3020 dns-query network connection,protocol,info"),
    "Microsoft-Windows-CodeIntegrity": _table("""
3001,3002,3003,3004,3010,3023 code-integrity-violation driver info
3033,3034,3036,3063,3065,3066,3077,3089 code-integrity-violation driver info
"""),
}

SECURITY_PROVIDER = "Microsoft-Windows-Security-Auditing"
SYSMON_PROVIDER = "Microsoft-Windows-Sysmon"
POWERSHELL_PROVIDERS = {"PowerShell", "Microsoft-Windows-PowerShell", "PowerShellCore"}


def kind_of(provider: str, code: str) -> Kind | None:
    """The meaning of an event, or None where this table has none."""
    if provider == SECURITY_PROVIDER:
        return SECURITY.get(code)
    if provider == SYSMON_PROVIDER:
        return SYSMON.get(code)
    if provider in POWERSHELL_PROVIDERS:
        return POWERSHELL.get(code)
    return OTHERS.get(provider, {}).get(code)
