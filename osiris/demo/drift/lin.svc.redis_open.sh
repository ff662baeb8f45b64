# A developer opened the cache to look at it from the office.
sed -i -E 's/^bind .*/bind 0.0.0.0/; s/^protected-mode .*/protected-mode no/' /etc/redis/redis.conf
systemctl enable redis-server.service >/dev/null 2>&1
if systemctl is-active ssh >/dev/null 2>&1; then systemctl restart redis-server.service; fi
