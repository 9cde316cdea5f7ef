#pragma once
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>

// A sum of unsigned long constants, which Swift does not import.
static inline unsigned long walden_name_flags_rfc2253(void) { return XN_FLAG_RFC2253; }
