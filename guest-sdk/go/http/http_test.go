package http

import "testing"

func TestAURLHasItsParts(t *testing.T) {
	for url, want := range map[string]target{
		"http://a":                       {false, "a", "/"},
		"HTTPS://a.example:8443/b/c?d=e": {true, "a.example:8443", "/b/c?d=e"},
		"http://[::1]:80?x":              {false, "[::1]:80", "/?x"},
		"http://a/b%20c#d":               {false, "a", "/b%20c"},
	} {
		if got, err := targetOf(url); err != nil || got != want {
			t.Errorf("%s: %v, %v", url, got, err)
		}
	}
	for _, url := range []string{"", "a", "ftp://a", "//a", "http://", "http://me:secret@a", "http://a b", "http://a\xff"} {
		if got, err := targetOf(url); err == nil {
			t.Errorf("%s: %v", url, got)
		}
	}
}

func TestHeadersAreFoundWhateverTheirCase(t *testing.T) {
	header := Header{}
	header.Add("Content-Type", "text/plain")
	header.Add("content-type", "text/html")
	if header.Get("CONTENT-TYPE") != "text/plain" || len(header["content-type"]) != 2 || header.Get("a") != "" {
		t.Error(header)
	}
}

func TestAnErrorHasTheNameOfTheStandard(t *testing.T) {
	if text := (&Error{"DNS-error", "SERVFAIL"}).Error(); text != "DNS-error: SERVFAIL" {
		t.Error(text)
	}
}
