# Nobody thought of the journal's size.
rm -f /etc/systemd/journald.conf.d/zz-osiris-bound.conf
sed -i 's/^SystemMaxUse=/#SystemMaxUse=/' /etc/systemd/journald.conf
if systemctl is-active systemd-journald.service >/dev/null 2>&1; then systemctl restart systemd-journald.service; fi
