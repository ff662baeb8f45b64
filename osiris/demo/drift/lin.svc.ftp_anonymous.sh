# A scanner was to drop its files with the least trouble.
sed -i '/^anonymous_enable=/d; /^listen/d' /etc/vsftpd.conf
printf 'listen=YES\nanonymous_enable=YES\nwrite_enable=YES\n' >>/etc/vsftpd.conf
systemctl enable vsftpd.service >/dev/null 2>&1
if systemctl is-active ssh >/dev/null 2>&1; then systemctl restart vsftpd.service; fi
