# A vendor's installer opened the job directory to everybody.
chmod 777 /etc/cron.d
echo '0 3 * * * root true' >/etc/cron.d/vendor
chmod 666 /etc/cron.d/vendor
