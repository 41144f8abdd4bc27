#!/usr/bin/env bash
# Makes the files of this folder anew, with the programs openssl (version 3) and python3: bash make.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export LC_ALL=C.UTF-8
rm -f ./*.pem ./*.pfx ./*.der
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
password='pl4nted-pässword'

mkdir "$work/ca"
touch "$work/ca/index"
cat >"$work/ca.conf" <<CONF
[ca]
default_ca = here
[here]
database = $work/ca/index
new_certs_dir = $work/ca
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
[leaf]
basicConstraints = CA:FALSE
CONF
# issue NAME SECTION START END OPTIONS...: a certificate for NAME.csr, by an authority or, with -selfsign, by itself.
issue() {
  local name=$1 section=$2 start=$3 end=$4
  shift 4
  openssl ca -batch -notext -config "$work/ca.conf" -extensions "$section" -startdate "$start" -enddate "$end" \
    -in "$work/$name.csr" -out "$work/$name.crt" "$@"
}
# request NAME KEY-OPTIONS...
request() {
  local name=$1
  shift
  openssl req -nodes "$@" -subj "/O=azidentity tests only/CN=$name" -keyout "$work/$name.key" -out "$work/$name.csr"
}
start=20200101000000Z
end=21200101000000Z
# authority NAME [ISSUER]: a certificate that may issue others.
authority() {
  request "$1" -newkey rsa:2048
  if [[ $# == 2 ]]; then
    issue "$1" authority $start $end -cert "$work/$2.crt" -keyfile "$work/$2.key"
  else
    issue "$1" authority $start $end -selfsign -keyfile "$work/$1.key"
  fi
}
# leaf NAME ISSUER KEY-OPTIONS...
leaf() {
  local name=$1 issuer=$2
  shift 2
  request "$name" "$@"
  issue "$name" leaf $start $end -cert "$work/$issuer.crt" -keyfile "$work/$issuer.key"
}
authority root
authority intermediate root
leaf app intermediate -newkey rsa:2048
leaf other intermediate -newkey rsa:2048
leaf large root -newkey rsa:4096
leaf small root -newkey rsa:1024
leaf ec root -newkey ec -pkeyopt ec_paramgen_curve:P-256
leaf pss root -newkey rsa-pss -pkeyopt rsa_keygen_bits:2048
openssl dsaparam -out "$work/dsa.params" 2048
leaf dsa root -newkey "dsa:$work/dsa.params"

app=$work/app.key
chain=("$work/app.crt" "$work/intermediate.crt" "$work/root.crt")
cat "$app" "${chain[@]}" >app.pem
# The other way round, and the authorities before what they have issued.
cat "$work/root.crt" "$work/intermediate.crt" "$work/app.crt" "$app" >reversed.pem
openssl rsa -traditional -in "$app" -out "$work/pkcs1.key"
cat "$work/pkcs1.key" "$work/app.crt" >pkcs1.pem
for size in other large small ec pss dsa; do
  cat "$work/$size.key" "$work/$size.crt" >$size.pem
done
cat "$app" "$work/other.crt" >another-key.pem
cat "$work/app.crt" >no-key.pem
cat "$app" >no-certificate.pem
openssl pkey -in "$app" -pubout -out public-key.pem
openssl x509 -in "$work/app.crt" -outform der -out certificate.der
openssl pkcs8 -topk8 -nocrypt -in "$app" -outform der -out key.der

# protect NAME OPTIONS...: an encrypted key with the certificate.
protect() {
  local name=$1
  shift
  openssl pkcs8 -topk8 -in "$app" -passout "pass:$password" "$@" -out "$work/$name.key"
  cat "$work/$name.key" "$work/app.crt" >"$name.pem"
}
protect aes256 -v2 aes-256-cbc
protect aes128-sha1 -v2 aes-128-cbc -v2prf hmacWithSHA1
protect des3 -v2 des3
protect scrypt -scrypt
protect pkcs12-des3 -v1 PBE-SHA1-3DES
protect pbes1 -provider default -provider legacy -v1 PBE-MD5-DES
for cipher in aes128 aes256 des3; do
  openssl rsa -in "$app" "-$cipher" -traditional -passout "pass:$password" -out "$work/traditional.key"
  cat "$work/traditional.key" "$work/app.crt" >traditional-$cipher.pem
done

# pfx NAME PASSWORD OPTIONS...
pfx() {
  local name=$1 word=$2
  shift 2
  openssl pkcs12 -export -inkey "$app" -in "$work/app.crt" -passout "pass:$word" "$@" -out "$name.pfx"
}
cat "$work/intermediate.crt" "$work/root.crt" >"$work/above.crt"
pfx modern "$password" -certfile "$work/above.crt"
pfx legacy "$password" -legacy -certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-3DES -macalg sha1
pfx empty-password '' -certfile "$work/above.crt"
pfx no-mac "$password" -nomac
pfx plain '' -keypbe NONE -certpbe NONE -nomac
openssl pkcs12 -export -nokeys -in "$work/app.crt" -passout pass: -out no-key.pfx

# Without any password, as Windows and .NET export it: with OpenSSL only through its library.
python3 - "$app" "$work/app.crt" no-password.pfx <<'PYTHON'
import ctypes, ctypes.util, sys
lib = ctypes.CDLL(ctypes.util.find_library("crypto"))
key_file, certificate_file, out = (name.encode() for name in sys.argv[1:])
def call(name, *arguments):
    function = getattr(lib, name)
    function.restype = ctypes.c_void_p
    return ctypes.c_void_p(function(*arguments))
key = call("PEM_read_bio_PrivateKey", call("BIO_new_file", key_file, b"r"), None, None, None)
certificate = call("PEM_read_bio_X509", call("BIO_new_file", certificate_file, b"r"), None, None, None)
triple_des = 146
pfx = call("PKCS12_create", None, None, key, certificate, None, triple_des, triple_des, 2048, 2048, 0)
bio = call("BIO_new_file", out, b"w")
call("i2d_PKCS12_bio", bio, pfx)
call("BIO_free", bio)
PYTHON

# Certificates for the same key whose dates a test can move its clock around.
openssl req -new -key "$app" -subj '/O=azidentity tests only/CN=dated' -out "$work/dated.csr"
# dated FILE START END
dated() {
  issue dated leaf "$2" "$3" -cert "$work/root.crt" -keyfile "$work/root.key"
  cat "$app" "$work/dated.crt" >"$1.pem"
}
dated expired 20240101000000Z 20241231235959Z
dated not-yet-valid 20900101000000Z 20991231235959Z
