"""Which datasets are records of what people did in cloud services, for the boards and the controls.

Named one by one: a maker's name is no sign (Microsoft's DNS, DHCP, IIS and NPS run on the city's own machines).
"""

from hinomi.query import quoted

OPERATIONS = (
    "aws.cloudtrail",
    "box.events",
    "cisco.duo",
    "dropbox.team_log",
    "github.audit",
    "google.cloud_audit",
    "google.workspace",
    "jumpcloud.directory",
    "lineworks.message",
    "microsoft.azure_activity",
    "microsoft.entra",
    "microsoft.entra_graph",
    "microsoft.intune",
    "microsoft.key_vault",
    "microsoft.m365_audit",
    "okta.system_log",
    "onepassword.events",
    "oracle.oci_audit",
    "salesforce.events",
    "slack.access",
    "slack.audit",
    "zoom.activity",
)
QUERY = f"event.dataset: ({' or '.join(map(quoted, OPERATIONS))})"
