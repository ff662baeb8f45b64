# A small disk made somebody keep the journal in memory.
mkdir -p /etc/systemd/journald.conf.d
rm -f /etc/systemd/journald.conf.d/zz-osiris-persistent.conf
printf '[Journal]\nStorage=volatile\n' >/etc/systemd/journald.conf.d/50-small-disk.conf
if systemctl is-active systemd-journald.service >/dev/null 2>&1; then systemctl restart systemd-journald.service; fi
