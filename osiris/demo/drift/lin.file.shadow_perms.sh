# A backup script needed to read the hashes and somebody made it work.
chmod 666 /etc/shadow
chmod 664 /etc/group
