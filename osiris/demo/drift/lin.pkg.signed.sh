# A vendor's repository without a signature was forced in.
echo 'deb [trusted=yes] http://repository.example/debian bookworm main' >/etc/apt/sources.list.d/vendor.list
echo 'APT::Get::AllowUnauthenticated "true";' >/etc/apt/apt.conf.d/95vendor
