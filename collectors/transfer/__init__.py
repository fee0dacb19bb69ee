"""One-way transfer of log lines as files: for networks that let only files through a gateway, such as LGWAN.

The sender (`outbox`) writes numbered batches with a signed manifest each; the receiver (`inbox`, a listener of kind
`transfer`) takes each batch once and tells what is missing, altered, repeated or not signed by a known key. The form
and the reasons for it: docs/decisions/0008-one-way-transfer.md
"""
