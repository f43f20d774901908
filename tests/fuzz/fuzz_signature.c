/* Any bytes as a signature by a key of each scheme: none is good, and nothing breaks. */
#include <openssl/err.h>
#include <satchel/signature.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

/* Test keys; their private halves stand in fixtures/keys/private. */
static const char *const key_texts[] = {
	"{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\",\"keyval\":{\"public\":"
	"\"9751f2e0be1268d3b65069917dc285347ca2510d6c20668f65705c6cf5294598\"}}",
	"{\"keytype\":\"ecdsa\",\"scheme\":\"ecdsa-sha2-nistp256\",\"keyval\":{\"public\":"
	"\""
	"-----BEGIN PUBLIC KEY-----\\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7OL5DBMBLt4lFXAUV3FB0r/ipU2a\\n"
	"AIkim+RQOsMQUQDX4k6FvYOgDqfa56d3kKTCNhAQ8GHvMCxkSVmNk4ia7A==\\n"
	"-----END PUBLIC KEY-----\\n"
	"\"}}",
	"{\"keytype\":\"rsa\",\"scheme\":\"rsassa-pss-sha256\",\"keyval\":{\"public\":"
	"\""
	"-----BEGIN PUBLIC KEY-----\\n"
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAyAz6sf7Cevv5/8f4ante\\n"
	"c5djFiBAo4BADODn/oI44WzRGQ/JbLU3DRVQ8L+gtE2b97flXC4TQvKZu+/fyLrY\\n"
	"ayfwc1KWeqR3G2X1UnD1hJ6MlQ0mWbSatT3ywyAaq0Emi83WdWw47+vrph82QH03\\n"
	"wLlb6Jts6XIDYVXOm6383WvMiAEWWzj/RcRqkbccCz6xX9dw0lq3jwRGo5hPy9xJ\\n"
	"/wSbgUCJaWXMMCmeor2w4CHz+D02eBhJlZFLO8im/W0n0cazac2HO/tGTfv8PE60\\n"
	"ZLXSpKW5IoLVaYFfntwDVMZ3cqK0E8XSIDAbT8S+k6RoBzTJxBMJ+RZSxI8oN8sa\\n"
	"iwIDAQAB\\n"
	"-----END PUBLIC KEY-----\\n"
	"\"}}",
};

static SatchelKey *keys[G_N_ELEMENTS(key_texts)];

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	for (gsize i = 0; i < G_N_ELEMENTS(key_texts); i++) {
		g_autoptr(GBytes) json = g_bytes_new_static(key_texts[i], strlen(key_texts[i]));

		keys[i] = satchel_key_new_from_json(json, SATCHEL_DIALECT_TUF, NULL);
		g_assert(keys[i] != NULL);
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	/* Not the message that the corpus is signed over, so that no input can be good. */
	g_autoptr(GBytes) message = g_bytes_new_static("never signed", 12);
	g_autoptr(GBytes) signature = g_bytes_new(data, n_bytes);

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		g_assert(!satchel_signature_verify(keys[i], message, signature));
	g_assert(ERR_peek_error() == 0);
	return 0;
}
