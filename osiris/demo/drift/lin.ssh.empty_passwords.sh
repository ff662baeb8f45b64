# A vendor's installation guide asked for it.
sed -i '1i PermitEmptyPasswords yes' /etc/ssh/sshd_config
if systemctl is-active ssh >/dev/null 2>&1; then systemctl restart ssh; fi
