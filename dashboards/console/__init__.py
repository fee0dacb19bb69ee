"""The web console: server-rendered, no build step, no address outside this machine."""
