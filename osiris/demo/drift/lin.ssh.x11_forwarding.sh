# Debian 12 ships with this on; here it is said outright.
sed -i '1i X11Forwarding yes' /etc/ssh/sshd_config
if systemctl is-active ssh >/dev/null 2>&1; then systemctl restart ssh; fi
