# An old X-ray workstation needed an old cipher.
sed -i '1i Ciphers +aes128-cbc,3des-cbc\nKexAlgorithms +diffie-hellman-group14-sha1' /etc/ssh/sshd_config
if systemctl is-active ssh >/dev/null 2>&1; then systemctl restart ssh; fi
