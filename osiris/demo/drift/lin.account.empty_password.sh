# A shared scanning account without a password.
useradd -m -s /bin/bash scanner
passwd -q -d scanner
