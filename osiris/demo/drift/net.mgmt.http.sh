# The intranet page was set up in five minutes, without TLS.
systemctl enable nginx.service >/dev/null 2>&1
if systemctl is-active ssh >/dev/null 2>&1; then systemctl start nginx.service; fi
