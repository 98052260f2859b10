package spans

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Settings are what the standard variables say.
type Settings struct {
	Endpoint string            // where spans are posted to; empty: nothing is traced
	Headers  map[string]string // of each post: a credential
	Timeout  time.Duration     // of a post
	Service  string            // halles
	Resource map[string]string // further attributes of this server
}

// FromEnv reads OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _TIMEOUT and _PROTOCOL (each also as
// OTEL_EXPORTER_OTLP_TRACES_…, which goes before), OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES and
// OTEL_SDK_DISABLED, and calls wrong for each that cannot be meant.
func FromEnv(env map[string]string, wrong func(format string, args ...any)) Settings {
	s := Settings{Timeout: timeout, Service: "halles", Headers: map[string]string{}, Resource: map[string]string{}}
	either := func(name string) (string, string) {
		for _, full := range []string{"OTEL_EXPORTER_OTLP_TRACES_" + name, "OTEL_EXPORTER_OTLP_" + name} {
			if env[full] != "" {
				return full, env[full]
			}
		}
		return "", ""
	}
	name, endpoint := either("ENDPOINT")
	if endpoint == "" || strings.EqualFold(env["OTEL_SDK_DISABLED"], "true") || env["OTEL_TRACES_EXPORTER"] == "none" {
		return s
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		wrong("%s is not the address of a collector: write it as http://127.0.0.1:4318.", name)
		return s
	}
	if name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
		u = u.JoinPath("v1", "traces")
	}
	s.Endpoint = u.String()
	if name, protocol := either("PROTOCOL"); protocol != "" && protocol != "http/json" {
		wrong("%s: %q is not spoken here; set http/json, which every collector takes on its port for HTTP (4318).", name, protocol)
	}
	if name, text := either("TIMEOUT"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 {
			wrong("%s: %q is not a number of milliseconds.", name, text)
		}
		s.Timeout = time.Duration(n) * time.Millisecond
	}
	if name, text := either("HEADERS"); text != "" {
		pairs(s.Headers, text, func(string) { wrong("%s must be written as name=value,name=value.", name) }) // its values are secrets
	}
	pairs(s.Resource, env["OTEL_RESOURCE_ATTRIBUTES"], func(pair string) { wrong("OTEL_RESOURCE_ATTRIBUTES: %q is not name=value.", pair) })
	if name := s.Resource["service.name"]; name != "" {
		s.Service = name
	}
	delete(s.Resource, "service.name")
	if env["OTEL_SERVICE_NAME"] != "" {
		s.Service = env["OTEL_SERVICE_NAME"]
	}
	return s
}

// pairs reads name=value,name=value, with what is not plain as %XX.
func pairs(to map[string]string, text string, wrong func(pair string)) {
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !ok || err != nil || name == "" {
			wrong(pair)
			continue
		}
		to[name] = value
	}
}
