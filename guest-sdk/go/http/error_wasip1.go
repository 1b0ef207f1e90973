package http

import "sporegate/internal/bindings/listener/imports/wasi_http_types"

var codes = [...]string{
	wasi_http_types.ErrorCode_DnsTimeout:                     "DNS-timeout",
	wasi_http_types.ErrorCode_DnsError:                       "DNS-error",
	wasi_http_types.ErrorCode_DestinationNotFound:            "destination-not-found",
	wasi_http_types.ErrorCode_DestinationUnavailable:         "destination-unavailable",
	wasi_http_types.ErrorCode_DestinationIpProhibited:        "destination-IP-prohibited",
	wasi_http_types.ErrorCode_DestinationIpUnroutable:        "destination-IP-unroutable",
	wasi_http_types.ErrorCode_ConnectionRefused:              "connection-refused",
	wasi_http_types.ErrorCode_ConnectionTerminated:           "connection-terminated",
	wasi_http_types.ErrorCode_ConnectionTimeout:              "connection-timeout",
	wasi_http_types.ErrorCode_ConnectionReadTimeout:          "connection-read-timeout",
	wasi_http_types.ErrorCode_ConnectionWriteTimeout:         "connection-write-timeout",
	wasi_http_types.ErrorCode_ConnectionLimitReached:         "connection-limit-reached",
	wasi_http_types.ErrorCode_TlsProtocolError:               "TLS-protocol-error",
	wasi_http_types.ErrorCode_TlsCertificateError:            "TLS-certificate-error",
	wasi_http_types.ErrorCode_TlsAlertReceived:               "TLS-alert-received",
	wasi_http_types.ErrorCode_HttpRequestDenied:              "HTTP-request-denied",
	wasi_http_types.ErrorCode_HttpRequestLengthRequired:      "HTTP-request-length-required",
	wasi_http_types.ErrorCode_HttpRequestBodySize:            "HTTP-request-body-size",
	wasi_http_types.ErrorCode_HttpRequestMethodInvalid:       "HTTP-request-method-invalid",
	wasi_http_types.ErrorCode_HttpRequestUriInvalid:          "HTTP-request-URI-invalid",
	wasi_http_types.ErrorCode_HttpRequestUriTooLong:          "HTTP-request-URI-too-long",
	wasi_http_types.ErrorCode_HttpRequestHeaderSectionSize:   "HTTP-request-header-section-size",
	wasi_http_types.ErrorCode_HttpRequestHeaderSize:          "HTTP-request-header-size",
	wasi_http_types.ErrorCode_HttpRequestTrailerSectionSize:  "HTTP-request-trailer-section-size",
	wasi_http_types.ErrorCode_HttpRequestTrailerSize:         "HTTP-request-trailer-size",
	wasi_http_types.ErrorCode_HttpResponseIncomplete:         "HTTP-response-incomplete",
	wasi_http_types.ErrorCode_HttpResponseHeaderSectionSize:  "HTTP-response-header-section-size",
	wasi_http_types.ErrorCode_HttpResponseHeaderSize:         "HTTP-response-header-size",
	wasi_http_types.ErrorCode_HttpResponseBodySize:           "HTTP-response-body-size",
	wasi_http_types.ErrorCode_HttpResponseTrailerSectionSize: "HTTP-response-trailer-section-size",
	wasi_http_types.ErrorCode_HttpResponseTrailerSize:        "HTTP-response-trailer-size",
	wasi_http_types.ErrorCode_HttpResponseTransferCoding:     "HTTP-response-transfer-coding",
	wasi_http_types.ErrorCode_HttpResponseContentCoding:      "HTTP-response-content-coding",
	wasi_http_types.ErrorCode_HttpResponseTimeout:            "HTTP-response-timeout",
	wasi_http_types.ErrorCode_HttpUpgradeFailed:              "HTTP-upgrade-failed",
	wasi_http_types.ErrorCode_HttpProtocolError:              "HTTP-protocol-error",
	wasi_http_types.ErrorCode_LoopDetected:                   "loop-detected",
	wasi_http_types.ErrorCode_ConfigurationError:             "configuration-error",
	wasi_http_types.ErrorCode_InternalError:                  "internal-error",
}

func errorOf(code wasi_http_types.ErrorCode) *Error {
	return &Error{codes[code.Tag()], detailOf(code)}
}

func detailOf(code wasi_http_types.ErrorCode) string {
	switch code.Tag() {
	case wasi_http_types.ErrorCode_DnsError:
		return code.DnsError().Rcode.SomeOr("")
	case wasi_http_types.ErrorCode_TlsAlertReceived:
		return code.TlsAlertReceived().AlertMessage.SomeOr("")
	case wasi_http_types.ErrorCode_InternalError:
		return code.InternalError().SomeOr("")
	default:
		return ""
	}
}
