#pragma once

/* Defined where a sanitizer reserves terabytes of address space, which nothing may be limited to.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SATCHEL_ADDRESS_SHADOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SATCHEL_ADDRESS_SHADOW 1
#endif
#endif
