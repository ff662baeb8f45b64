# A hand-made clean-up took the rotation away.
rm -f /etc/logrotate.d/rsyslog
systemctl disable logrotate.timer >/dev/null 2>&1
if systemctl is-active logrotate.timer >/dev/null 2>&1; then systemctl stop logrotate.timer; fi
