# A router's set-up guide was followed on the wrong machine.
printf 'net.ipv4.conf.all.accept_redirects = 1\nnet.ipv4.conf.all.accept_source_route = 1\n' >/etc/sysctl.d/90-router.conf
for n in accept_redirects send_redirects accept_source_route; do
  for p in /proc/sys/net/ipv4/conf/*/$n; do echo 1 >"$p"; done
done
