# The default was switched off for a batch of accounts and left off.
sed -i '/^[[:space:]]*INACTIVE=/d' /etc/default/useradd
echo 'INACTIVE=-1' >>/etc/default/useradd
