# The whole practice became root to make one program work.
useradd -m -s /bin/bash frontdesk 2>/dev/null || true
echo 'frontdesk ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/practice
chmod 440 /etc/sudoers.d/practice
