package french_test

import (
	"html/template"
	"strings"
	"testing"

	"github.com/audelor/halles/internal/french"
)

// shown writes no-break spaces so that they can be told apart: ~ and, narrow, ^.
var shown = strings.NewReplacer("\u00a0", "~", "\u202f", "^")

func TestText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", " ": " ", "a": "a",
		"Total : 12 €":                      "Total~: 12 €",
		"Prêt ? Oui !":                      "Prêt^? Oui^!",
		"ouvert ; fermé":                    "ouvert^; fermé",
		"« Rupture »":                       "«~Rupture~»",
		"dit : « Quoi ?! »":                 "dit~: «~Quoi^?!~»",
		"« a » « b »":                       "«~a~» «~b~»",
		"la ligne :\nla suite":              "la ligne~:\nla suite",
		"(pourquoi ?)":                      "(pourquoi^?)",
		"Total: 12, à 12:30, 9 h - 12 h":    "Total: 12, à 12:30, 9 h - 12 h",
		"le port :8080, ?page=2 !important": "le port :8080, ?page=2 !important",
		"https://a.example/b?c=d;e":         "https://a.example/b?c=d;e",
		"déjà~: bien":                       "déjà~: bien",
		"deux  : espaces":                   "deux ~: espaces",
	} {
		if got := shown.Replace(french.Text(text)); got != want {
			t.Errorf("%q becomes %q, not %q", text, got, want)
		}
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]string{
		`<html lang="fr"><p>a : b</p>`:                                               `<html lang="fr"><p>a~: b</p>`,
		`<html lang="fr"><a href="/">ici</a> : là, « <b>x</b> »`:                     `<html lang="fr"><a href="/">ici</a>~: là, «~<b>x</b>~»`,
		`<html lang="fr"><a title="a : b > c" alt='" : '>d : e</a> ; f`:              `<html lang="fr"><a title="a : b > c" alt='" : '>d~: e</a>^; f`,
		`<html lang="fr"><p>L&#39;un ?</p><p>l&#34; !&#34;</p>`:                      `<html lang="fr"><p>L&#39;un^?</p><p>l&#34;^!&#34;</p>`,
		`<html lang="fr"><script>a ? b : c < d</script><style>p { x : y }</style> !`: `<html lang="fr"><script>a ? b : c < d</script><style>p { x : y }</style>^!`,
		`<html lang="fr"><pre><code class="x">a : <b>b</b> : c</code></pre> : d`:     `<html lang="fr"><pre><code class="x">a : <b>b</b> : c</code></pre>~: d`,
		`<html lang="fr"><textarea name="t">a : b</textarea><code>c ; d</code>`:      `<html lang="fr"><textarea name="t">a : b</textarea><code>c ; d</code>`,
		`<html lang="en"><p>a : b</p>`:                                               `<html lang="en"><p>a : b</p>`,
		`<p>a : b</p>`:                                                               `<p>a : b</p>`,
		`<html lang="en"><dl lang="fr"><dt>a : b</dt><dl>c ;</dl> !</dl> ?`:          `<html lang="en"><dl lang="fr"><dt>a~: b</dt><dl>c^;</dl>^!</dl> ?`,
		`<html lang="br"><a lang="en">a : b</a> : <a hreflang="en">c ?</a>`:          `<html lang="br"><a lang="en">a : b</a>~: <a hreflang="en">c^?</a>`,
		`<html lang="fr"><title>a : b</title> <`:                                     `<html lang="fr"><title>a~: b</title> <`,
		`<html lang="fr"><code>never closed : `:                                      `<html lang="fr"><code>never closed~: `,
	} {
		if got := shown.Replace(string(french.HTML([]byte(page)))); got != want {
			t.Errorf("%s\nbecomes %s\nnot     %s", page, got, want)
		}
	}
}

func TestPageIsSetWithItsData(t *testing.T) {
	t.Parallel()
	page := french.Page{Template: template.Must(template.New("p").Parse(`<html lang="fr">{{define "q"}}<html lang="fr">{{.}} !{{end}}<p>Total : {{.}}</p>`))}
	for name, want := range map[string]string{"p": `<html lang="fr"><p>Total~: dit~: &lt;b&gt;</p>`, "q": `<html lang="fr">dit~: &lt;b&gt;^!`} {
		var b strings.Builder
		err := page.ExecuteTemplate(&b, name, "dit : <b>")
		if got := shown.Replace(b.String()); err != nil || got != want {
			t.Errorf("%s: %v, %s", name, err, got)
		}
	}
	var b strings.Builder
	if err := page.Execute(&b, 1); err != nil || shown.Replace(b.String()) != `<html lang="fr"><p>Total~: 1</p>` {
		t.Errorf("%v, %s", err, b.String())
	}
	broken := french.Page{Template: template.Must(template.New("p").Parse(`<p>{{.Missing}}</p>`))}
	b.Reset()
	if err := broken.Execute(&b, 1); err == nil || b.Len() > 0 {
		t.Errorf("of a page with a mistake %q came", b.String())
	}
}

// What is set loses nothing, and what is set already stays.
func FuzzSetOnce(f *testing.F) {
	f.Add(`<html lang="fr"><p>« a » : b ; c ! d ?</p><code>x : y</code></html>`)
	f.Add(`<p lang="fr"><p>a : </p> ; <textarea`)
	back := strings.NewReplacer("\u00a0", " ", "\u202f", " ")
	f.Fuzz(func(t *testing.T, page string) {
		once := string(french.HTML([]byte(page)))
		if back.Replace(once) != back.Replace(page) {
			t.Errorf("%q becomes %q", page, once)
		}
		if twice := string(french.HTML([]byte(once))); twice != once {
			t.Errorf("%q, set again, %q", once, twice)
		}
		text := french.Text(page)
		if back.Replace(text) != back.Replace(page) || french.Text(text) != text {
			t.Errorf("%q becomes %q", page, text)
		}
	})
}
