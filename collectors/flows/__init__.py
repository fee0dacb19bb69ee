"""Flow records of routers and switches: NetFlow 5 and 9, IPFIX and sFlow 5, from datagrams to lines.

Templates are known only while datagrams come, so they are read before the spool: what is spooled is one line of
`key=value` a flow, under the names of IANA's registry. Records of one template are read together, a column at a time (docs/decisions/0009).
"""
