# Staff complained about long passwords.
sed -i '/^[[:space:]]*minlen[[:space:]]*=/d' /etc/security/pwquality.conf
echo 'minlen = 6' >>/etc/security/pwquality.conf
