# Debian 12 ships with this on; here it is said outright.
sed -i '1i X11Forwarding yes' /etc/ssh/sshd_config
systemctl reload ssh
