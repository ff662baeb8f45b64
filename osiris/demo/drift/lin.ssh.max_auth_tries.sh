# Someone with many keys in the agent raised the limit.
sed -i '1i MaxAuthTries 20' /etc/ssh/sshd_config
if systemctl is-active ssh >/dev/null 2>&1; then systemctl restart ssh; fi
