# A shared scanning account without a password.
id scanner >/dev/null 2>&1 || useradd -m -s /bin/bash scanner
passwd -q -d scanner
