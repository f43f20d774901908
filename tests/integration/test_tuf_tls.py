#!/usr/bin/python3
"""satchel-verify tuf over TLS: whom it believes, and how it shows who it is."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from tap import main, run, test  # noqa: E402
from tuf_server import Repo, Server, redirect, stored_version, tls_context  # noqa: E402
from x509_authority import Authority  # noqa: E402


class Lab:
    """An authority, a server that it vouches for, and a client's metadata folder."""

    def __init__(self, tmp, address="127.0.0.1", wants_client=False):
        self.tmp = tmp
        self.authority = Authority(tmp)
        certificate, key = self.authority.issue("server", address)
        context = tls_context(certificate, key, self.authority.file if wants_client else None)
        self.server = Server(Repo(), context)
        self.metadata = tmp / "metadata"
        assert self.tuf("init", self.server.repo.root(tmp)).returncode == 0

    def tuf(self, *words, env=None):
        return run(["satchel-verify", "tuf", "--metadata-dir", self.metadata, "--https-only",
                    *words], env=env)

    def refresh(self, *options, ca_file=None, env=None):
        return self.tuf("--metadata-url", self.server.url + "/metadata", "--ca-file",
                        ca_file or self.authority.file, *options, "refresh", env=env)

    def assert_refused(self, result):
        assert result.returncode == 13 and result.stderr.count("\n") == 1, result
        assert self.server.log == [], self.server.log
        assert stored_version(self.metadata, "timestamp") == 0


@test("a server that the given authority vouches for is asked")
def _(tmp):
    lab = Lab(tmp)
    with lab.server:
        result = lab.refresh()
        assert result.returncode == 0, result
        assert len(lab.server.connections) == 1


@test("a server that only another authority vouches for is not asked")
def _(tmp):
    lab = Lab(tmp)
    with lab.server:
        lab.assert_refused(lab.refresh(ca_file=Authority(tmp, "another authority").file))


@test("with an authority given, the system's do not count")
def _(tmp):
    lab = Lab(tmp)
    with lab.server:
        system = {"SSL_CERT_FILE": lab.authority.file, "SSL_CERT_DIR": tmp}
        other = Authority(tmp, "another authority").file
        lab.assert_refused(lab.refresh(ca_file=other, env=system))


@test("the system's authorities do not vouch for a test's server")
def _(tmp):
    lab = Lab(tmp)
    with lab.server:
        lab.assert_refused(lab.tuf("--metadata-url", lab.server.url + "/metadata", "refresh"))


@test("a certificate for another host is refused")
def _(tmp):
    lab = Lab(tmp, address="127.0.0.9")
    with lab.server:
        lab.assert_refused(lab.refresh())


@test("a certificate file that is not there is an error")
def _(tmp):
    lab = Lab(tmp)
    with lab.server:
        lab.assert_refused(lab.refresh(ca_file=tmp / "none.pem"))


@test("a device shows its certificate where the server wants one")
def _(tmp):
    lab = Lab(tmp, wants_client=True)
    certificate, key = lab.authority.issue("device")
    both = tmp / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    with lab.server:
        lab.assert_refused(lab.refresh())
        assert lab.refresh("--cert", certificate, "--key", key).returncode == 0
        assert lab.refresh("--cert", both).returncode == 0


@test("a device's certificate by another authority is refused by the server")
def _(tmp):
    lab = Lab(tmp, wants_client=True)
    certificate, key = Authority(tmp, "another authority").issue("device")
    with lab.server:
        lab.assert_refused(lab.refresh("--cert", certificate, "--key", key))


@test("a device's key may be in a PKCS#11 token")
def _(tmp):
    lab = Lab(tmp, wants_client=True)
    certificate, key = lab.authority.issue("device")
    (tmp / "tokens").mkdir()
    conf = tmp / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp / 'tokens'}\n")
    module = next(pathlib.Path("/usr/lib").glob("*/softhsm/libsofthsm2.so"),
                  pathlib.Path("/usr/lib/softhsm/libsofthsm2.so"))
    # OpenSSL's engine keeps its tables to the end of the process.
    env = {"SOFTHSM2_CONF": conf, "PKCS11_MODULE_PATH": module, "ASAN_OPTIONS": "detect_leaks=0"}
    tool = ["softhsm2-util", "--token", "lab", "--pin", "1234"]
    run(["softhsm2-util", "--init-token", "--free", "--label", "lab", "--so-pin", "5678", "--pin",
         "1234"], env=env, check=True)
    run([*tool, "--import", key, "--label", "device", "--id", "01"], env=env, check=True)
    uri = "pkcs11:token=lab;object=device;type=private?pin-value="
    with lab.server:
        result = lab.refresh("--cert", certificate, "--key", uri + "1234", env=env)
        assert result.returncode == 0, result
        result = lab.refresh("--cert", certificate, "--key", uri.replace("device", "none") + "1234",
                             env=env)
        # The engine complains by itself, before it.
        assert result.returncode == 13, result
        assert "2.root.json" in result.stderr.splitlines()[-1], result


@test("a redirect down to plain http is never followed")
def _(tmp):
    lab = Lab(tmp)
    with lab.server, Server(lab.server.repo) as plain:
        path = "/metadata/timestamp.json"
        lab.server.misbehave[path] = redirect(plain.url + path)
        result = run(["satchel-verify", "tuf", "--metadata-dir", lab.metadata, "--metadata-url",
                      lab.server.url + "/metadata", "--ca-file", lab.authority.file,
                      "--max-redirects", "3", "refresh"])
        assert result.returncode == 13 and "timestamp.json" in result.stderr, result
        assert plain.log == []


main()
