# The portal's certificate was made by hand and nobody wrote down when it ends.
mkdir -p /etc/ssl/private /etc/nginx/conf.d
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=portal \
  -keyout /etc/ssl/private/portal-site.key -out /etc/ssl/certs/portal-site.pem 2>/dev/null
chmod 640 /etc/ssl/private/portal-site.key
printf 'server {\n  listen 443 ssl;\n  ssl_certificate /etc/ssl/certs/portal-site.pem;\n  ssl_certificate_key /etc/ssl/private/portal-site.key;\n}\n' \
  >/etc/nginx/conf.d/portal-site.conf
