package report

import "github.com/audelor/halles/internal/insight"

// Definition says in French what an indicator measures, as a statistician asks.
type Definition struct{ Label, Text string }

// Definitions are those of all indicators, in the order of the dashboard. The schema's descriptions
// say the same in English.
func Definitions() []Definition {
	list := []struct {
		indicator insight.Indicator
		text      string
	}{
		{insight.Revenue, "Ce que les clients paient pour les commandes qui tiennent (ni refusées, ni annulées, ni laissées sur place), TVA et livraison comprises. Ce qui se vend hors de la plateforme n'y est pas."},
		{insight.RevenueNet, "Le chiffre d'affaires TTC moins la TVA qu'il contient, arrondie une fois par commande et par taux."},
		{insight.Orders, "Les commandes qui tiennent, comptées au jour où elles ont été passées, à l'heure de Paris. Un panier dans trois boutiques fait trois commandes."},
		{insight.Basket, "Le chiffre d'affaires TTC divisé par le nombre de commandes : ce que coûte une commande dans une boutique, et non ce que dépense une personne."},
		{insight.Items, "Les pièces de toutes les lignes des commandes ; un kilo vendu comme une pièce en fait une."},
		{insight.Shops, "Les boutiques qui ont eu au moins une commande dans le mois."},
		{insight.Companies, "Les entreprises (SIREN) qui ont eu au moins une commande dans le mois : trois boutiques d'une même entreprise comptent une fois. Ne s'additionne ni par commune ni par secteur."},
		{insight.Median, "La moitié des boutiques actives du mois ont plus de commandes, l'autre moitié moins. À partir de dix boutiques : la médiane de trois serait le chiffre de l'une d'elles."},
		{insight.Count, "Les boutiques qui ont franchi l'étape à la fin du mois : inscrites (la boutique existe), publiées (vérifiées par la commune), avec dix articles en vente, ayant reçu une première commande, actives dans le mois ; et celles qui sont publiées mais sans commande depuis 30 jours."},
		{insight.Headcount, "Les emplois de ces boutiques, exploitants compris, tels qu'elles les ont déclarés ; celles qui n'ont rien dit comptent pour zéro."},
		{insight.HalfWaited, "La moitié des commandes du mois ont attendu moins longtemps l'acceptation, ou l'annonce « prête ». Nuits et jours de fermeture compris. À partir de dix boutiques."},
		{insight.MostWaited, "Neuf commandes sur dix ont attendu moins longtemps. À partir de dix boutiques."},
		{insight.Booked, "Les commandes qui tiennent dans les créneaux du mois, parmi ceux qui ont une capacité et qu'au moins une commande a choisis."},
		{insight.Capacity, "Les commandes que ces mêmes créneaux pouvaient prendre : le rapport des deux dit à quel point ils étaient pleins."},
		{insight.Missed, "Les recherches d'articles qui n'ont rien trouvé. Pour un mot : les personnes qui l'ont cherché en vain, jour par jour, les jours où elles étaient trois ou plus ; un mot que seules une ou deux personnes ont tapé n'est pas gardé. Les recherches restreintes à une catégorie, un mode ou une heure ne comptent pas."},
		{insight.Outreach, "Les appels reçus ou passés dans le mois pour une inscription, les dossiers dont ils parlaient, ceux qui sont devenus des boutiques publiées à la clôture du mois, et celles qui avaient alors vendu. Une cohorte : elle est comptée une fois, le 5 du mois suivant."},
		{insight.Density, "Les boutiques publiées à la fin du mois, pour 10 000 habitants des communes de cette taille (population municipale). Une boutique compte là où elle est, et non là où elle livre."},
		{insight.MiddleSales, "La moitié des boutiques actives du mois ont un chiffre d'affaires TTC plus grand, l'autre moitié plus petit ; arrondi à 10 €. À partir de dix boutiques."},
		{insight.OrdersChange, "L'évolution des commandes des boutiques concernées par un arrêté ou une loi, des jours d'avant aux jours d'après son début : 28, ou autant que la mesure a duré si c'était 7 ou plus. En points entiers. Tout ce qui a changé en même temps y est : à lire à côté des autres boutiques."},
		{insight.OthersChange, "L'évolution des commandes, aux mêmes jours, des boutiques que la mesure ne concerne pas."},
		{insight.Lost, "Les commandes passées dans le mois puis refusées, annulées ou non retirées, telles que le journal les montre à la publication."},
	}
	definitions := make([]Definition, len(list))
	for i, d := range list {
		definitions[i] = Definition{d.indicator.Label(), d.text}
	}
	return definitions
}

// Rules are the rules of statistical secrecy, as a reader is told.
func Rules() []string {
	return []string{
		"Aucune case publiée ne repose sur moins de trois entreprises (SIREN), et dans aucune une seule entreprise ne fait plus de 85 % de la valeur.",
		"D'autres cases sont cachées pour qu'aucune des premières ne se retrouve par soustraction, ni exactement, ni à 15 % près ; les mêmes pour toutes les mesures.",
		"Une case cachée dit pourquoi. Elle n'est jamais montrée comme un zéro ; un zéro n'est publié que là où aucune boutique ne pouvait vendre.",
		"Un mois est clos le 5 du suivant, puis figé. Il est révisé au début des deux trimestres qui suivent le sien, avec les seules différences qui viennent d'au moins trois entreprises.",
		"Du mois en cours, seul le total de l'agglomération est publié, une fois par jour au plus, quand au moins trois entreprises y ont contribué depuis la fois précédente.",
		"Une période de plusieurs mois, une année aussi, est la somme de ses mois publiés, et rien d'autre : elle est cachée dès qu'un mois l'est, et ne dit donc rien que ses mois ne disent.",
	}
}
