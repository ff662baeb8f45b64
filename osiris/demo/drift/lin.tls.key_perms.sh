# A key was copied in for nginx and left readable.
mkdir -p /etc/ssl/private
openssl genpkey -quiet -algorithm ed25519 -out /etc/ssl/private/portal.key 2>/dev/null || openssl genpkey -algorithm ed25519 -out /etc/ssl/private/portal.key
chmod 644 /etc/ssl/private/portal.key
