package identity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
)

func keyed(h func() hash.Hash, algorithm string, secret []byte, header, payload string) string {
	header = strings.Replace(header, `"alg":"EdDSA"`, `"alg":"`+algorithm+`"`, 1)
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	mac := hmac.New(h, secret)
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}

// Each forged token is a good one but for what its name says.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	ed, ec, rs := edKey("ed"), ecKey("ec", elliptic.P256()), rsaKey(t, "rs", 2048)
	weak, p384 := rsaKey(t, "weak", 1024), ecKey("p384", elliptic.P384())
	sealing := edKey("sealing")
	sealing.use = "enc"
	a := &party{url: "https://a.test"}
	a.publish(ed, ec, rs, weak, p384, sealing)
	shared := []byte("a secret that somebody published!")
	a.keys = append(a.keys, jose.JSONWebKey{Key: shared, KeyID: "shared", Use: "sig"})
	strict, other := ecKey("strict", elliptic.P256()), edKey("other")
	also := rsaKey(t, "also", 2048)
	b := &party{url: "https://b.test"}
	b.publish(strict, also)
	c := &party{url: "https://c.test"}
	c.publish(other)
	evil := edKey("ed") // under the name of a good key
	evilEC := ecKey("ec", elliptic.P256())
	hostile := &party{url: "https://evil.test"}
	hostile.publish(evil)
	issuers, _ := trust([]identity.Issuer{
		{URL: "https://a.test", Audience: "halles"},
		{URL: "https://b.test", Audience: "halles", Algorithms: []string{"ES256"}},
		{URL: "https://c.test", Audience: "others"},
	}, a, b, c, hostile)

	minutes := func(n float64) int64 { return noon.Add(time.Duration(n * float64(time.Minute))).Unix() }
	for name, token := range map[string]string{
		"EdDSA": ed.token(), "ES256": ec.token(), "RS256": rs.token(),
		"NoKid":                    ec.raw(ec.header(said{"kid": nil}), claims()),
		"NoType":                   ed.raw(ed.header(said{"typ": nil}), claims()),
		"TypeJWT":                  ed.raw(ed.header(said{"typ": "JWT"}), claims()),
		"TypeInCapitals":           ed.raw(ed.header(said{"typ": "AT+JWT"}), claims()),
		"TypeInFull":               ed.raw(ed.header(said{"typ": "application/at+jwt"}), claims()),
		"SeveralAudiences":         ed.token(said{"aud": []string{"account", "halles"}}),
		"ExpiredWithinTheLeeway":   ed.token(said{"exp": noon.Add(-30 * time.Second).Unix()}),
		"NotYetWithinTheLeeway":    ed.token(said{"nbf": noon.Add(30 * time.Second).Unix(), "iat": noon.Add(30 * time.Second).Unix()}),
		"NoIat":                    ed.token(said{"iat": nil}),
		"PointsToAnotherSet":       ed.raw(ed.header(said{"jku": "https://evil.test/keys"}), claims()),
		"TheAlgorithmThatIsSigned": strict.token(said{"iss": "https://b.test"}),
		"MoreClaims":               ed.token(said{"roles": []string{"ADMIN"}, "realm_access": map[string]any{"roles": []string{"admin"}}}),
	} {
		person, expires, err := issuers.Check(t.Context(), token)
		if err != nil || person.Subject != "anna" || expires.IsZero() {
			t.Errorf("a good token is refused: %s: %v", name, err)
		}
	}
	if t.Failed() {
		t.FailNow() // or the rest would prove nothing
	}

	good := ed.token()
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	public, err := x509.MarshalPKIXPublicKey(rs.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	publicJWK, err := (&jose.JSONWebKey{Key: ed.key.Public(), KeyID: "ed"}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	evilJWK := &jose.JSONWebKey{Key: evil.key.Public(), KeyID: "evil"}
	certificate, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a.test"}, NotAfter: noon.AddDate(10, 0, 0)},
		&x509.Certificate{SerialNumber: big.NewInt(1)}, evilEC.key.Public(), evilEC.key)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(h crypto.Hash, algorithm string, pss bool) string {
		input := b64([]byte(rs.header(said{"alg": algorithm}))) + "." + b64([]byte(claims()))
		sum := h.New()
		sum.Write([]byte(input))
		raw, err := rsa.SignPKCS1v15(rand.Reader, rs.key.(*rsa.PrivateKey), h, sum.Sum(nil))
		if pss {
			raw, err = rsa.SignPSS(rand.Reader, rs.key.(*rsa.PrivateKey), h, sum.Sum(nil), nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + b64(raw)
	}
	resigned := func(token string, signature []byte) string {
		return token[:strings.LastIndex(token, ".")+1] + b64(signature)
	}
	der := func() string {
		input := b64([]byte(ec.header())) + "." + b64([]byte(claims()))
		sum := sha256.Sum256([]byte(input))
		raw, err := ecdsa.SignASN1(rand.Reader, ec.key.(*ecdsa.PrivateKey), sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + b64(raw)
	}
	p384Token := func() string {
		input := b64([]byte(p384.header(said{"alg": "ES384"}))) + "." + b64([]byte(claims()))
		sum := sha512.Sum384([]byte(input))
		r, s, err := ecdsa.Sign(rand.Reader, p384.key.(*ecdsa.PrivateKey), sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + b64(append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...))
	}
	unencoded := func() string { // RFC 7797: the payload as it is
		head := b64([]byte(ed.header(said{"b64": false, "crit": []string{"b64"}})))
		return head + "." + b64([]byte(claims())) + "." + b64(ed.signature(head+"."+claims()))
	}
	spare := func() string { // the last letter of an Ed25519 signature has four bits to spare
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		last := strings.IndexByte(letters, good[len(good)-1])
		return good[:len(good)-1] + letters[last+1:last+2]
	}

	forged := map[string]string{
		// No signature, or one that anybody can make.
		"AlgNone":                         b64([]byte(ed.header(said{"alg": "none"}))) + "." + payload + ".",
		"AlgNoneInOtherLetters":           b64([]byte(ed.header(said{"alg": "nOnE"}))) + "." + payload + ".",
		"AlgNoneWithAGoodSignature":       b64([]byte(ed.header(said{"alg": "none"}))) + "." + payload + "." + signature,
		"AlgEmpty":                        b64([]byte(ed.header(said{"alg": ""}))) + "." + payload + ".",
		"NoAlg":                           ed.raw(ed.header(said{"alg": nil}), claims()),
		"HS256WithThePublicKeyAsPEM":      keyed(sha256.New, "HS256", publicPEM, ed.header(), claims()),
		"HS256WithThePublicKeyAsDER":      keyed(sha256.New, "HS256", public, ed.header(), claims()),
		"HS256WithThePublicKeyAsJWK":      keyed(sha256.New, "HS256", publicJWK, ed.header(), claims()),
		"HS256WithThePublicKeysBytes":     keyed(sha256.New, "HS256", ed.key.Public().(ed25519.PublicKey), ed.header(), claims()),
		"HS384WithThePublicKey":           keyed(sha512.New384, "HS384", publicPEM, ed.header(), claims()),
		"HS512WithThePublicKey":           keyed(sha512.New, "HS512", publicPEM, ed.header(), claims()),
		"HS256WithAnEmptySecret":          keyed(sha256.New, "HS256", nil, ed.header(), claims()),
		"HS256WithAPublishedSecret":       keyed(sha256.New, "HS256", shared, ed.header(said{"kid": "shared"}), claims()),
		"HS256SaidToBeEdDSA":              keyed(sha256.New, "EdDSA", shared, ed.header(said{"kid": "shared"}), claims()),
		"ES256WithZeros":                  resigned(ec.token(), make([]byte, 64)),
		"EdDSAWithZeros":                  resigned(good, make([]byte, 64)),
		"RS256WithZeros":                  resigned(rs.token(), make([]byte, 256)),
		"SignatureOfAnotherToken":         resigned(good, ed.signature("another")),
		"SignatureEmpty":                  header + "." + payload + ".",
		"SignatureCutShort":               good[:len(good)-8],
		"SignatureTwice":                  good + signature,
		"SignatureInDER":                  der(),
		"SignatureWithSpareBits":          spare(),
		"PayloadAltered":                  header + "." + b64([]byte(claims(said{"sub": "admin"}))) + "." + signature,
		"HeaderAltered":                   b64([]byte(ed.header(said{"typ": "JWT"}))) + "." + payload + "." + signature,
		"AlgOfAnotherKey":                 ed.raw(ed.header(said{"alg": "ES256"}), claims()),
		"AlgOfAnotherKeyUnderItsName":     ed.raw(ed.header(said{"alg": "RS256", "kid": "rs"}), claims()),
		"PS256OfAGoodKey":                 signed(crypto.SHA256, "PS256", true),
		"RS384OfAGoodKey":                 signed(crypto.SHA384, "RS384", false),
		"RS512OfAGoodKey":                 signed(crypto.SHA512, "RS512", false),
		"ES384OfAPublishedKey":            p384Token(),
		"ES256OnAnotherCurve":             p384.raw(p384.header(), claims()),
		"RS256OfAKeyTooShort":             weak.token(),
		"AKeyThatIsForSealing":            sealing.token(),
		"AnAlgorithmThatTheIssuerHasNot":  also.token(said{"iss": "https://b.test"}),
		"AKeyOfAnotherIssuer":             other.token(),
		"AKeyOfAnotherIssuerWithoutAName": other.raw(other.header(said{"kid": nil}), claims()),
		"TheNameOfAnotherIssuer":          ed.token(said{"iss": "https://c.test", "aud": "others"}),
		"AKeyOfNobody":                    evil.token(),
		"AKeyOfNobodyWithoutAName":        evil.raw(evil.header(said{"kid": nil}), claims()),

		// Keys that the token brings along.
		"KidIsAPath":           evil.raw(evil.header(said{"kid": "../../../../dev/null"}), claims()),
		"KidIsAPathHS256":      keyed(sha256.New, "HS256", nil, ed.header(said{"kid": "../../../../../../dev/null"}), claims()),
		"KidIsAnAddress":       evil.raw(evil.header(said{"kid": "https://evil.test/keys"}), claims()),
		"KidIsSQL":             evil.raw(evil.header(said{"kid": "x' union select 'x"}), claims()),
		"KidIsANumber":         ed.raw(ed.header(said{"kid": 1}), claims()),
		"KidIsAList":           ed.raw(ed.header(said{"kid": []string{"ed"}}), claims()),
		"JKU":                  evil.raw(evil.header(said{"jku": "https://evil.test/keys"}), claims()),
		"JKUWithoutKid":        evil.raw(evil.header(said{"jku": "https://evil.test/keys", "kid": nil}), claims()),
		"X5U":                  evilEC.raw(evilEC.header(said{"x5u": "https://evil.test/certificate"}), claims()),
		"JWK":                  evil.raw(evil.header(said{"jwk": evilJWK, "kid": "evil"}), claims()),
		"JWKUnderAGoodName":    evil.raw(evil.header(said{"jwk": evilJWK}), claims()),
		"JWKWithoutKid":        evil.raw(evil.header(said{"jwk": evilJWK, "kid": nil}), claims()),
		"X5C":                  evilEC.raw(evilEC.header(said{"x5c": []string{base64.StdEncoding.EncodeToString(certificate)}}), claims()),
		"IssuerOfOnesOwn":      evil.token(said{"iss": "https://evil.test"}),
		"IssuerOfOnesOwnAndUs": evil.token(said{"iss": []string{"https://evil.test", "https://a.test"}}),

		// For somebody else, or from somebody else.
		"NoIss":                ed.token(said{"iss": nil}),
		"IssEmpty":             ed.token(said{"iss": ""}),
		"IssIsAList":           ed.token(said{"iss": []string{"https://a.test"}}),
		"IssWithASlash":        ed.token(said{"iss": "https://a.test/"}),
		"IssInCapitals":        ed.token(said{"iss": "https://A.test"}),
		"IssWithASpace":        ed.token(said{"iss": "https://a.test "}),
		"IssWithANul":          ed.token(said{"iss": "https://a.test\x00"}),
		"IssWithoutItsScheme":  ed.token(said{"iss": "a.test"}),
		"NoAud":                ed.token(said{"aud": nil}),
		"AudEmpty":             ed.token(said{"aud": ""}),
		"AudEmptyList":         ed.token(said{"aud": []string{}}),
		"AudIsAnother":         ed.token(said{"aud": "account"}),
		"AudIsLonger":          ed.token(said{"aud": "halles-admin"}),
		"AudInCapitals":        ed.token(said{"aud": "Halles"}),
		"AudOfAnotherIssuer":   other.token(said{"iss": "https://c.test"}),
		"AudAreOthers":         ed.token(said{"aud": []string{"a", "b"}}),
		"AudIsAnObject":        ed.token(said{"aud": map[string]string{"halles": "halles"}}),
		"AudHoldsANumber":      ed.token(said{"aud": []any{"halles", 1}}),
		"TypeOfALogout":        ed.raw(ed.header(said{"typ": "logout+jwt"}), claims()),
		"TypeOfAnEvent":        ed.raw(ed.header(said{"typ": "secevent+jwt"}), claims()),
		"TypeOfAProof":         ed.raw(ed.header(said{"typ": "dpop+jwt"}), claims()),
		"TypeIsANumber":        ed.raw(ed.header(said{"typ": 1}), claims()),
		"TypeEmpty":            ed.raw(ed.header(said{"typ": ""}), claims()),
		"NoSub":                ed.token(said{"sub": nil}),
		"SubEmpty":             ed.token(said{"sub": ""}),
		"SubIsANumber":         ed.token(said{"sub": 1}),
		"SubTooLong":           ed.token(said{"sub": strings.Repeat("a", 256)}),
		"SubWithANul":          ed.token(said{"sub": "anna\x00"}),
		"ClaimsInOtherLetters": ed.token(said{"sub": nil, "Sub": "anna"}),
		"AudInOtherLetters":    ed.token(said{"aud": nil, "AUD": "halles"}),
		"ExpInOtherLetters":    ed.token(said{"exp": nil, "EXP": minutes(60)}),

		// At another time.
		"NoExp":              ed.token(said{"exp": nil}),
		"ExpIsNull":          ed.raw(ed.header(), with(claims(said{"exp": nil}), `"exp":null`)),
		"ExpIsAText":         ed.token(said{"exp": fmt.Sprint(minutes(60))}),
		"ExpIsADate":         ed.token(said{"exp": noon.Add(time.Hour).Format(time.RFC3339)}),
		"ExpIsTrue":          ed.token(said{"exp": true}),
		"ExpIsZero":          ed.token(said{"exp": 0}),
		"ExpIsNegative":      ed.token(said{"exp": -1}),
		"ExpOverflows":       ed.raw(ed.header(), with(claims(said{"exp": nil}), `"exp":1e300`)),
		"ExpIsNoNumber":      ed.raw(ed.header(), with(claims(said{"exp": nil}), `"exp":NaN`)),
		"Expired":            ed.token(said{"exp": minutes(-60)}),
		"ExpiredASecondAgo":  ed.token(said{"exp": noon.Add(-31 * time.Second).Unix()}),
		"NotYet":             ed.token(said{"nbf": minutes(1)}),
		"NotYetBySeconds":    ed.token(said{"nbf": noon.Add(31 * time.Second).Unix()}),
		"NbfIsAText":         ed.token(said{"nbf": "soon"}),
		"NbfOverflows":       ed.raw(ed.header(), with(claims(), `"nbf":9223372036854775807`)),
		"IssuedInTheFuture":  ed.token(said{"iat": minutes(5)}),
		"MillisecondsNotYet": ed.token(said{"nbf": noon.UnixMilli(), "exp": noon.Add(time.Hour).UnixMilli()}),

		// Read otherwise than it was written.
		"CritUnknown":         ed.raw(ed.header(said{"crit": []string{"x"}, "x": 1}), claims()),
		"CritEmpty":           ed.raw(ed.header(said{"crit": []string{}}), claims()),
		"CritKnownToSome":     ed.raw(ed.header(said{"crit": []string{"b64"}, "b64": true}), claims()),
		"CritIsAText":         ed.raw(ed.header(said{"crit": "x"}), claims()),
		"PayloadUnencoded":    unencoded(),
		"SubTwice":            ed.raw(ed.header(), with(claims(), `"sub":"admin"`)),
		"IssTwice":            ed.raw(ed.header(), with(claims(said{"iss": "https://evil.test"}), `"iss":"https://a.test"`)),
		"AudTwice":            ed.raw(ed.header(), with(claims(said{"aud": "account"}), `"aud":"halles"`)),
		"ExpTwice":            ed.raw(ed.header(), with(claims(said{"exp": 1}), `"exp":`+fmt.Sprint(minutes(60)))),
		"AClaimOfNoUseTwice":  ed.raw(ed.header(), with(with(claims(), `"x":1`), `"x":2`)),
		"AlgTwice":            ed.raw(with(ed.header(said{"alg": "none"}), `"alg":"EdDSA"`), claims()),
		"KidTwice":            ed.raw(with(ed.header(said{"kid": "evil"}), `"kid":"ed"`), claims()),
		"NestedJWT":           ed.raw(ed.header(said{"cty": "JWT"}), good),
		"NestedJWTQuoted":     ed.raw(ed.header(said{"cty": "JWT"}), quoted(good)),
		"PayloadIsAList":      ed.raw(ed.header(), "["+claims()+"]"),
		"PayloadIsNull":       ed.raw(ed.header(), "null"),
		"PayloadIsEmpty":      ed.raw(ed.header(), ""),
		"PayloadIsNoJSON":     ed.raw(ed.header(), "sub=anna"),
		"PayloadGoesOn":       ed.raw(ed.header(), claims()+claims()),
		"PayloadIsCutShort":   ed.raw(ed.header(), claims()[:40]),
		"HeaderIsAList":       ed.raw("["+ed.header()+"]", claims()),
		"HeaderIsEmpty":       ed.raw("", claims()),
		"HeaderIsNoJSON":      ed.raw("EdDSA", claims()),
		"Huge":                ed.token(said{"name": strings.Repeat("n", 16<<10)}),
		"HugeKid":             ed.raw(ed.header(said{"kid": strings.Repeat("k", 16<<10)}), claims()),
		"Empty":               "",
		"OnePart":             header,
		"TwoParts":            header + "." + payload,
		"FourParts":           good + ".AA",
		"FiveParts":           good + ".AA.AA",
		"DotsAlone":           "..",
		"ASpaceBefore":        " " + good,
		"ASpaceAfter":         good + " ",
		"ALineBreakAfter":     good + "\n",
		"ALineBreakInside":    header + ".\n" + payload + "." + signature,
		"ALineBreakBefore":    "\r\n" + good,
		"ATabInside":          header + ".\t" + payload + "." + signature,
		"ANulAfter":           good + "\x00",
		"Padded":              header + "." + payload + "." + signature + "==",
		"InTheOtherBase64":    header + "." + base64.RawStdEncoding.EncodeToString([]byte(claims(said{"name": "???>>>"}))) + "." + signature,
		"Twice":               good + good,
		"AListOfTokens":       good + "," + good,
		"WithItsScheme":       "Bearer " + good,
		"AsJSON":              `{"protected":"` + header + `","payload":"` + payload + `","signature":"` + signature + `"}`,
		"AsJSONOfManyHands":   `{"payload":"` + payload + `","signatures":[{"protected":"` + header + `","signature":"` + signature + `"}]}`,
		"AnUnprotectedHeader": `{"protected":"` + header + `","header":{"x":1},"payload":"` + payload + `","signature":"` + signature + `"}`,
	}
	if len(forged) < 40 {
		t.Fatalf("%d forged tokens", len(forged))
	}
	t.Logf("%d forged tokens", len(forged))
	for name, token := range forged {
		person, expires, err := issuers.Check(t.Context(), token)
		switch {
		case err == nil:
			t.Errorf("%s: accepted as %+v", name, person)
		case !errors.Is(err, fault.Unauthenticated) || person != nil || !expires.IsZero():
			t.Errorf("%s: %v %v %v", name, person, expires, err)
		}
	}
	if n := hostile.reads.Load(); n != 0 {
		t.Errorf("a token's own address was asked for keys, %d times", n)
	}
}

func TestExpiredSaysSo(t *testing.T) {
	t.Parallel()
	key, a := edKey("ed"), &party{url: "https://a.test"}
	a.publish(key)
	issuers, _ := trust([]identity.Issuer{{URL: "https://a.test", Audience: "halles"}}, a)
	_, _, err := issuers.Check(t.Context(), key.token(said{"exp": noon.Add(-time.Hour).Unix()}))
	if f := fault.Of(err); f == nil || f.Kind != fault.Unauthenticated || !strings.Contains(f.Message, "expiré") {
		t.Errorf("%v", err)
	}
}

// What a token tells of its person, as issuers write it.
func TestPerson(t *testing.T) {
	t.Parallel()
	key, a := edKey("ed"), &party{url: "https://a.test"}
	a.publish(key)
	issuers, _ := trust([]identity.Issuer{{URL: "https://a.test", Audience: "halles", Name: "agglo"}}, a)
	for name, c := range map[string]struct {
		said        said
		name, email string
	}{
		"Nothing":       {said{}, "", ""},
		"Keycloak":      {said{"name": "Anna Le Goff", "email": "anna@example.org", "email_verified": true}, "Anna Le Goff", "anna@example.org"},
		"ProConnect":    {said{"given_name": "Anna", "usual_name": "LE GOFF", "email": "anna@example.org"}, "Anna LE GOFF", ""},
		"FranceConnect": {said{"given_name": "Anna Maria", "family_name": "LE GOFF"}, "Anna Maria LE GOFF", ""},
		"VerifiedText":  {said{"email": "anna@example.org", "email_verified": "true"}, "", "anna@example.org"},
		"NotVerified":   {said{"email": "anna@example.org", "email_verified": false}, "", ""},
		"NoAddress":     {said{"email": "anna", "email_verified": true}, "", ""},
		"Controls":      {said{"name": "Anna\x00\n Le\tGoff"}, "Anna Le Goff", ""},
		"Long":          {said{"name": strings.Repeat("é", 300)}, strings.Repeat("é", 200), ""},
	} {
		person, _, err := issuers.Check(t.Context(), key.token(c.said))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := (identity.Person{Issuer: "agglo", Subject: "anna", Name: c.name, Email: c.email}); *person != want {
			t.Errorf("%s: %+v", name, *person)
		}
	}
}
