"""Why what a device sent is not used: every check by its name, every refusal of its own kind.

Broken
 +-- Distrusted             what came is understood and not believed; `check` names why
      +-- SignatureWrong       not signed by the key that its certificate names
      +-- ChainUntrusted       the certificate leads to no anchor, or is out of its time, or weak
      |    +-- CertificateRevoked
      +-- TimestampOff         taken more than five minutes from now
      +-- TransactionOther     the answer to another request
      +-- VersionOther         written after another version of the interface
      +-- PurposeOther         for another purpose, or another environment
      +-- SubTypesOther        not those fingers or eyes that were asked for
      +-- HashChainBroken      something was left out, put in, or exchanged between
      +-- SerialOther          from another device than was asked, or one not enrolled
      +-- RecordInconsistent   the record is not what the signed words beside it say
      +-- QualityOverstated    the device claims a better picture than it sent

It checks nothing itself.
"""

import enum
from typing import ClassVar

from hardware.errors import Broken


class CheckName(enum.StrEnum):
    """What is held against an answer, in the order in which it is."""

    SIGNATURE = "signature"
    CHAIN = "chain"
    SERIAL = "serial"
    TIMESTAMP = "timestamp"
    TRANSACTION = "transaction"
    VERSION = "spec_version"
    PURPOSE = "purpose"
    SUB_TYPES = "sub_types"
    HASH_CHAIN = "hash_chain"
    RECORD = "record"
    QUALITY = "quality"


class Distrusted(Broken):
    """What came is understood and not believed."""

    check: ClassVar[CheckName]


class SignatureWrong(Distrusted):
    """It is not signed by the key that its certificate names."""

    check = CheckName.SIGNATURE


class ChainUntrusted(Distrusted):
    """Its certificate leads to no anchor, or is out of its time, or its key is too weak."""

    check = CheckName.CHAIN


class CertificateRevoked(ChainUntrusted):
    """A certificate of its chain was taken back."""


class SerialOther(Distrusted):
    """It comes from another device than was asked, or from one that is not enrolled."""

    check = CheckName.SERIAL


class TimestampOff(Distrusted):
    """It was taken, by the device's clock, more than five minutes from now."""

    check = CheckName.TIMESTAMP


class TransactionOther(Distrusted):
    """It answers another request."""

    check = CheckName.TRANSACTION


class VersionOther(Distrusted):
    """It is written after another version of the interface than was asked for."""

    check = CheckName.VERSION


class PurposeOther(Distrusted):
    """It was taken for another purpose or environment."""

    check = CheckName.PURPOSE


class SubTypesOther(Distrusted):
    """It has not those fingers or eyes that were asked for, each once, and no others."""

    check = CheckName.SUB_TYPES


class HashChainBroken(Distrusted):
    """The hashes do not run on from what was taken before."""

    check = CheckName.HASH_CHAIN


class RecordInconsistent(Distrusted):
    """The record is not what the signed words beside it say, or holds no picture."""

    check = CheckName.RECORD


class QualityOverstated(Distrusted):
    """The device claims a better picture than it sent."""

    check = CheckName.QUALITY
