"""A throwaway authority, a provider and a device that sign for tests of SBI; and plain records."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from hardware.iris.port import Eye
from hardware.sbi.chain import FIRST, follow
from hardware.sbi.messages import Captured, DigitalId, encode_base64url, encode_date
from hardware.sbi.port import EyePicture, FacePicture, FingerPicture, RecordUnreadable
from hardware.sbi.tokens import sign
from hardware.sbi.trust import Trust

NOW = dt.datetime(2026, 11, 25, 2, 0, tzinfo=dt.UTC)
SERIAL = "SN-0001"
DAY = dt.timedelta(days=1)


_PRIMES: Final = """
fcc61f3af8d7b46394fe83f8a2cdf89805f161b10b63d2053576ddca2ac9e13f
a45ad09ff5b7fd1f7f6bd6d735ec6186ecc6c7c92afae785dcfcfe5696458be5
4d94d20f312c2f31116b72e5af5507d5fa3f9d52f4aa979660512b67f108c07e
32cc9bf4caecf0773b1dfe4ca053d73f38c47b3e63833070e4348730a93074a9
f5ca16c06a3fffcd54895f5364cca36ef307a518acb875dbcf6b4e54105b01fe
aebe585bb6f756a3dc64c57a5d9994fecdc1c7da977fa1f5b961e54c8b4084fa
c1d43b33d80eed18260c823bf560034e0f8c23fed232bfa6bf8ec785407f908a
2fcecb49f81030134a19f509a7d134f95f4b61c89e8f9e097c549e9a6d48aba9
e609d1073a60108f0e1d47bdefb04e08cf6f7d35786ed1100c1e7e714352e8f6
ce8e7813c875fbed4eda7e7ea8a271530f3027b81a40c5ea708cb2f60fee3674
0467e34cd961f9c0c226a82cd45029fad629a5e0e1c9c48ef417176bc26621a9
7d1ed97836f851b33c74e342a8cc4ffada695ed32d707d1db16ba9ecde14ce33
d7174f4eeefe72f0231d1994baeb238f51fdccb0ef33d52c0df99fc551facdea
dab6c50805fe5e6fdcacc28e962983e56aa76bf42f3eef66cd24f2b71fd25d66
25587dde850fac1a3b608c5987b8dce4abc6b1eeb8323f7243774faebc0b60c6
e550ae55ff448665451744504ca0e729ad0f06da02c745164beafdb90e2288f9
e1346f38d8af196adc87cdca30ebca891306b5bfcc33839d1e11481cce6241cc
a9e6ae7fedfb7478c8f2a707d5524255a5408f12f84e56d69bdd3533e0cc3cab
0bdb45dbb42d08e5ec41849cb984fb054be6a82899fb61bb4213a81b611d6b8f
1952ca8e56e0b7568d3b152820ffa8561d18508cb079f2aa17effbe3a59a7dd3
cd40958243aaa1ff125d476427dff493555c4cb81a4c10f802df563b990d88cb
579d6ca67120dc8174f3f4a64fff204df259ce28a4ab3ebbb2a9d71a7b7c6406
1baac66717b612aff9cd3244e874dcd6ba841b92def5f1ef4ef0050f0eef3c41
e076af2be60fb40c259c1bfcaad9effc8ad39135d523b2b55c1e800b8ec045f5
d4ccf59ab266d382901e247880585be562cfcf66b9f8d18fc4012624bf33a6b2
a31aae7cfd8aa587b52e737868a5739f2532ed17a81c00b9a692d210d53b94a5
cb90f2e9eccd4bdf2416c5fb02bf219caaa78dbda8013086461da6f0572d31a8
9f996b91be0a80da705650fe82fb3baede27e6f43b8d854888965d469c003db5
c9055f6535d7945eda3a2635c03900948bdf1a80a1e8d671dce04053bfecd51b
a89889a5fa9d29df90444a671d68f0a7296721b13ab853d6188dd09179335f55
b20e1b45e3530705b4e5015c02d1226d7cd8972ed77dea4cea0b331a7f408792
2d80b7d4b2fbde8c72f38346520ca894f531604a2e39ca3f2f0d33b75f115769
fb8db367dcb59e403407d962b1c3fd9560b971cd106cd352de14a2462cfa518b
c31553ee2a6698611327b84ed09bc1ad4c5e4d70586436a173b22730b762d74e
22b9811ad16b20125d7f1a41c245eeffa01b6b521aa743fc684c9fa600dbb205
1dc0d68b53cc233b1fd777f35b01a216b84460d88aae71f1051172ee3d965ceb
f84d53d6d3597cc7b3c08bb01ab337c2bc254418c465c75e1073a3ab54e2397e
82535102bc7a032c3ed91efdc0b207dd124aafc65c78085f97c69c9745c2acab
a2321ef11c1a641d39a5bdd079fb9f5ca39a4339d1ffbf6b30e047f2be2cdec3
36de887b2b6c0f3231611f82e2e93a9f1d533e122313f96c920566a0ab953c11
"""
"""Of keys made for these tests, which sign nothing else: so that each run is the same."""


@cache
def key(number: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    digits = "".join(_PRIMES.split())
    if (number + 1) * bits // 4 > len(digits) or bits != 2048:
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    p, q = (int(digits[at : at + 256], 16) for at in (number * 512, number * 512 + 256))
    exponent = 65537
    private = pow(exponent, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=private,
        dmp1=private % (p - 1),
        dmq1=private % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(exponent, p * q),
    ).private_key()


_serials = count(1)


def certificate(
    name: str,
    of: rsa.RSAPrivateKey,
    issuer: x509.Certificate | None,
    by: rsa.RSAPrivateKey,
    *,
    authority: bool = False,
    since: dt.datetime = NOW - DAY,
    until: dt.datetime = NOW + 29 * DAY,
    usage: bool = True,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(of.public_key())
        .serial_number(next(_serials))
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if usage:
        builder = builder.add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    return builder.sign(by, hashes.SHA256())


ROOT = certificate("Root", key(0), None, key(0), authority=True)
PROVIDER = certificate("Provider", key(1), ROOT, key(0), authority=True)
DEVICE = certificate("Device", key(2), PROVIDER, key(1))
CHAIN = (DEVICE, PROVIDER)
TRUST = Trust(anchors=(ROOT,), serials=frozenset({SERIAL}))


def revocations(
    *revoked: x509.Certificate,
    issuer: x509.Certificate = PROVIDER,
    by: rsa.RSAPrivateKey | None = None,
) -> x509.CertificateRevocationList:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(NOW - DAY)
        .next_update(NOW + DAY)
    )
    for one in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(one.serial_number)
            .revocation_date(NOW - DAY)
            .build()
        )
    return builder.sign(by or key(1), hashes.SHA256())


class PlainRecords:
    """Records as JSON with no pixels to speak of: what ISO ones are is tried elsewhere."""

    def finger(self, data: bytes) -> FingerPicture:
        said = _said(data)
        return FingerPicture(
            pixels=np.full((8, 6), 128, np.uint8),
            dpi=500,
            position=said["position"],
            rolled=said["rolled"],
        )

    def iris(self, data: bytes) -> EyePicture:
        return EyePicture(pixels=np.full((8, 6), 128, np.uint8), eye=Eye(_said(data)["eye"]))

    def face(self, data: bytes) -> FacePicture:
        _said(data)
        return FacePicture(pixels=np.full((8, 6, 3), 128, np.uint8))

    def write_finger(self, picture: FingerPicture) -> bytes:
        return json.dumps({"position": picture.position, "rolled": picture.rolled}).encode()

    def write_iris(self, picture: EyePicture) -> bytes:
        return json.dumps({"eye": picture.eye}).encode()

    def write_face(self, picture: FacePicture) -> bytes:
        return json.dumps({"face": picture.pixels.shape[0]}).encode()


def _said(data: bytes) -> dict[str, Any]:
    try:
        said = json.loads(data)
    except ValueError as error:
        raise RecordUnreadable(str(error)) from error
    assert isinstance(said, dict)
    return said


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Scores that are always the same."""

    score: int | None

    def finger(self, picture: FingerPicture) -> int | None:  # noqa: ARG002 - the port's
        return self.score

    def iris(self, picture: EyePicture) -> int | None:  # noqa: ARG002 - the port's
        return self.score

    def face(self, picture: FacePicture) -> int | None:  # noqa: ARG002 - the port's
        return self.score


def identity(serial: str = SERIAL, kind: str = "Finger") -> DigitalId:
    return DigitalId(
        serial_no=serial,
        make="Maker",
        model="One",
        type=kind,
        device_sub_type="Slap",
        device_provider="Provider",
        date_time=encode_date(NOW),
    )


def captured(
    record: bytes,
    previous: str = FIRST,
    said: Mapping[str, object] = MappingProxyType({}),
    *,
    signer: rsa.RSAPrivateKey | None = None,
    chain: tuple[x509.Certificate, ...] = CHAIN,
    who: DigitalId | None = None,
    spec_version: str = "0.9.5",
    hashed: str | None = None,
    **changed: object,
) -> Captured:
    """Return one signed picture; `said` and `changed` replace what should stand there."""
    by = key(2) if signer is None else signer
    payload = {
        "digitalId": sign((who or identity()).encode(), by, chain),
        "deviceCode": SERIAL,
        "bioType": "Finger",
        "bioSubType": "Left IndexFinger",
        "purpose": "Registration",
        "env": "Staging",
        "bioValue": encode_base64url(record),
        "transactionId": "abcd-1",
        "timestamp": encode_date(NOW),
        "requestedScore": "40",
        "qualityScore": "60",
        **said,
        **changed,
    }
    return Captured(
        spec_version=spec_version,
        data=sign(json.dumps(payload).encode(), by, chain),
        hash=follow(previous, record) if hashed is None else hashed,
    )


def finger_record(position: int = 7, *, rolled: bool | None = False) -> bytes:
    return json.dumps({"position": position, "rolled": rolled}).encode()
