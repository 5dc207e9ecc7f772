#!/bin/sh
# Sets up a real Odoo 19 in the folder given, on Debian 12 and as root: out of Debian's own archive, unpacked and not
# installed, for one unprivileged user. Its database has the demo company. Takes some three minutes; what is there already
# is left alone.
set -eu
LAB=$1
USER_OF_LAB=crmlab
mkdir -p "$LAB/apt/lists/partial" "$LAB/apt/cache/archives/partial" "$LAB/debs" "$LAB/root"
chmod 755 "$LAB"
cd "$LAB"
if [ ! -x root/usr/bin/odoo ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15 python3-venv python3-pip
    archive=$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources)
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive sid main" >apt/s.list
    # A list of its own, so that the machine's packages stay Debian 12's.
    own="-o Dir::Etc::sourcelist=$LAB/apt/s.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$LAB/apt/lists -o Dir::Cache=$LAB/apt/cache"
    # shellcheck disable=SC2086
    (cd debs && apt-get $own update -qq && apt-get $own download odoo-19)
    (cd debs && apt-get download libjs-jquery libjs-underscore libjs-jquery-form fonts-font-awesome fonts-roboto-unhinted)
    for package in debs/*.deb; do dpkg -x "$package" root; done
fi
if [ ! -x venv/bin/python ]; then
    # The system's Python: another user must be able to run it.
    /usr/bin/python3 -m venv --without-pip venv
    pip --python venv/bin/python install -q 'setuptools<81' asn1crypto 'Babel<2.18' cbor2==5.9.0 chardet==5.2.0 \
        cryptography==46.0.5 python-dateutil==2.8.2 docutils==0.20.1 freezegun==1.2.1 geoip2==2.9.0 gevent==24.2.1 \
        greenlet==3.0.3 idna Jinja2==3.1.6 libsass==0.23.0 lxml==5.2.1 lxml_html_clean MarkupSafe==2.1.5 \
        num2words==0.5.13 ofxparse==0.21 openpyxl==3.1.2 passlib==1.7.4 Pillow==12.1.1 polib psutil==5.9.8 \
        psycopg2-binary pyopenssl==26.0.0 PyPDF2==2.12.1 pyserial python-stdnum==1.19 pytz pyusb qrcode==7.4.2 \
        reportlab==4.1.0 requests==2.31.0 rjsmin==1.2.0 urllib3==2.6.3 vobject==0.9.6.1 Werkzeug==3.1.6 xlrd==2.0.1 \
        XlsxWriter==3.1.9 xlwt zeep==4.2.1 python-magic==0.4.27
fi
id "$USER_OF_LAB" >/dev/null 2>&1 || useradd -m -d "$LAB/home" "$USER_OF_LAB"
mkdir -p pg log data addons home
chown -R "$USER_OF_LAB" pg log data home addons
PG=/usr/lib/postgresql/15/bin
[ -f pg.port ] || python3 -c 'import socket; one = socket.create_server(("127.0.0.1", 0)); print(one.getsockname()[1])' >pg.port
PORT=$(cat pg.port)
[ -f pg/PG_VERSION ] || su "$USER_OF_LAB" -c "$PG/initdb -D $LAB/pg -U $USER_OF_LAB -A trust -E UTF8 --locale=C.UTF-8 >/dev/null"
su "$USER_OF_LAB" -c "$PG/pg_ctl -D $LAB/pg status" >/dev/null 2>&1 ||
    su "$USER_OF_LAB" -c "$PG/pg_ctl -D $LAB/pg -o '-p $PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories=$LAB/home -c fsync=off' -l $LAB/log/pg.log -w start >/dev/null"
[ -f odoo.conf ] || cat >odoo.conf <<C
[options]
db_host = 127.0.0.1
db_port = $PORT
db_user = $USER_OF_LAB
addons_path = $LAB/root/usr/lib/python3/dist-packages/odoo/addons,$LAB/addons
data_dir = $LAB/data
http_interface = 127.0.0.1
http_port = 18069
workers = 0
C
cat >run.sh <<R
#!/bin/sh
cd $LAB
PYTHONPATH=$LAB/root/usr/lib/python3/dist-packages exec venv/bin/python root/usr/bin/odoo "\$@"
R
chmod 755 run.sh
if ! su "$USER_OF_LAB" -c "psql -h 127.0.0.1 -p $PORT -lqt" | cut -d '|' -f 1 | grep -qw crmlab; then
    su "$USER_OF_LAB" -c "./run.sh server -c odoo.conf -d crmlab --with-demo --stop-after-init \
        -i crm,sale_management,sale_crm,base_automation,mass_mailing,mass_mailing_crm" >log/init.log 2>&1
fi
echo ready
