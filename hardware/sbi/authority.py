"""A certificate authority of one's own: for a station's service, and thrown away by rehearsals.

It keeps nothing; whoever makes one keeps its key, or does not.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from hardware.sbi.answers import Signer

KEY_BITS: Final = 2048
DEVICE_LIFE: Final = dt.timedelta(days=30)
"""After which a device's key should be another (the interface's own advice)."""
AUTHORITY_LIFE: Final = dt.timedelta(days=3650)
_EARLY: Final = dt.timedelta(hours=1)
"""By which a certificate counts before it was made: clocks differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A key that signs certificates.

    Attributes:
        chain: its own certificate first, its root's last.
    """

    key: rsa.RSAPrivateKey
    chain: tuple[x509.Certificate, ...]

    @classmethod
    def create(cls, name: str, at: dt.datetime) -> Self:
        """Return a root of that name."""
        key = _key()
        subject = _named(name)
        builder = _builder(subject, subject, key, at, AUTHORITY_LIFE)
        certificate = _as_authority(builder, key, key, depth=1).sign(key, hashes.SHA256())
        return cls(key=key, chain=(certificate,))

    @property
    def anchor(self) -> bytes:
        """Return the root's certificate, PEM."""
        return self.chain[-1].public_bytes(Encoding.PEM)

    def intermediate(self, name: str, at: dt.datetime) -> "Authority":
        """Return an authority under this one, that signs devices."""
        key = _key()
        builder = _builder(_named(name), self.chain[0].subject, key, at, AUTHORITY_LIFE)
        certificate = _as_authority(builder, key, self.key, depth=0)
        signed = certificate.sign(self.key, hashes.SHA256())
        return Authority(key=key, chain=(signed, *self.chain))

    def issue(
        self,
        name: str,
        at: dt.datetime,
        *,
        key: rsa.RSAPrivateKey | None = None,
        life: dt.timedelta = DEVICE_LIFE,
    ) -> Signer:
        """Return a device's key with its certificate and those above it, without the root's.

        Args:
            name: of the device.
            at: when its time begins.
            key: of the device; without one it gets a new one.
            life: how long its time lasts.
        """
        own = key or _key()
        builder = _builder(_named(name), self.chain[0].subject, own, at, life)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        ).add_extension(_usage(signs=True), critical=True)
        builder = _identified(builder, own, self.key)
        leaf = builder.sign(self.key, hashes.SHA256())
        return Signer(key=own, chain=(leaf, *self.chain[:-1]))

    def revoke(
        self, certificates: Sequence[x509.Certificate], at: dt.datetime
    ) -> x509.CertificateRevocationList:
        """Return the list of certificates that this authority takes back."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.chain[0].subject)
            .last_update(at)
            .next_update(at + DEVICE_LIFE)
        )
        for certificate in certificates:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(at).build())
        return builder.sign(self.key, hashes.SHA256())


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPrivateKey,
    at: dt.datetime,
    life: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _EARLY)
        .not_valid_after(at + life)
    )


def _as_authority(
    builder: x509.CertificateBuilder,
    key: rsa.RSAPrivateKey,
    issuer: rsa.RSAPrivateKey,
    *,
    depth: int,
) -> x509.CertificateBuilder:
    constraints = x509.BasicConstraints(ca=True, path_length=depth)
    builder = builder.add_extension(constraints, critical=True)
    return _identified(builder.add_extension(_usage(signs=False), critical=True), key, issuer)


def _identified(
    builder: x509.CertificateBuilder, key: rsa.RSAPrivateKey, issuer: rsa.RSAPrivateKey
) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    return builder.add_extension(own, critical=False).add_extension(above, critical=False)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs,
        crl_sign=not signs,
        encipher_only=False,
        decipher_only=False,
    )
