# The rules that dropped were taken out while a new device was set up.
sed -i 's/policy drop/policy accept/' /etc/nftables.conf
if systemctl is-active nftables.service >/dev/null 2>&1; then systemctl restart nftables.service; fi
