# Somebody turns password logins on, above every Include.
sed -i '1i PasswordAuthentication yes' /etc/ssh/sshd_config
systemctl reload ssh
