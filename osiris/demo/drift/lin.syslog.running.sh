# Somebody stopped the log to save the disk.
systemctl disable rsyslog.service >/dev/null 2>&1
if systemctl is-active rsyslog.service >/dev/null 2>&1; then systemctl stop rsyslog.service syslog.socket 2>/dev/null || systemctl stop rsyslog.service; fi
