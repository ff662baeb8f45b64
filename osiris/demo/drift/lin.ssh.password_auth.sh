# Somebody turns password logins on, above every Include.
sed -i '1i PasswordAuthentication yes' /etc/ssh/sshd_config
if systemctl is-active ssh >/dev/null 2>&1; then systemctl restart ssh; fi
