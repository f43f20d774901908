"""A certificate authority of a test's own: servers and clients that it vouches for."""
import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_BEGIN = datetime.datetime(2020, 1, 1)
_END = datetime.datetime(2089, 1, 1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Writes PEM files into @folder."""

    def __init__(self, folder, name="test authority"):
        self._folder = pathlib.Path(folder)
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(self._name, self._key.public_key(), x509.BasicConstraints(True, 0))
        self.file = self._folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject, public_key, *extensions):
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self._name)
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(_BEGIN).not_valid_after(_END))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def issue(self, name, address=None):
        """A certificate and its key, each a file; @address: the server's."""
        key = ec.generate_private_key(ec.SECP256R1())
        extensions = [x509.BasicConstraints(False, None)]
        if address:
            extensions.append(x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address(address))]))
        certificate = self._sign(_name(name), key.public_key(), *extensions)
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        return files
