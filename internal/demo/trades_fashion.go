package demo

// The trades of what people wear, all at the normal rate.
var fashionTrades = []*trade{
	{
		category: "vetements-femme", naf: "47.71Z", weight: 5, hours: retail, season: fashion, vat: 2000,
		stock: [2]int{0, 5}, lead: [2]int{30, 120}, delivers: 20, area: [2]int{40, 220}, jobs: [2]int{1, 5},
		services: []string{"gift-wrap", "alterations", "try-on-by-appointment"},
		names:    []string{"La Penderie de {prenom}", "Boutique {prenom}", "Les Filles de L'Orient", "Bord de mer", "L'Atelier de {lieu}", "Breizh Élégance", "Merzh", "Au Fil de l'eau", "Rouge Corail", "Chez {prenom} et {prenom}"},
		about:    []string{"Prêt-à-porter choisi pièce par pièce, à {commune}.", "Créateurs bretons, matières naturelles, essayage sur rendez-vous."},
		words:    []string{"Dessiné en Bretagne.", "Taille normalement.", "Petite série.", "Lavage à 30 °C.", "Échange sous quinze jours."},
		goods: `
Marinière {écru et marine|marine et écru|rouge et écru} ; 59,00 ; @femme
Robe {portefeuille|chemise|« Larmor »|en lin|à pois} ; 79,00 ; @femme
Jupe {plissée|en jean|midi} ; 49,00 ; @femme
Jean {droit|slim|large} ; 69,00 ; @femme
Pantalon {fluide|à pinces} ; 65,00 ; @femme
Ciré {jaune|marine|vert d'eau} ; 99,00 ; @lettres
Pull {col rond|marin boutonné|en laine d'ici} ; 85,00 ; @lettres
Gilet {long|torsadé} ; 75,00 ; @lettres
Chemisier {à fleurs|blanc|en soie} ; 59,00 ; @femme
Blouse « Groix » ; 55,00 ; @lettres
Tee-shirt {blanc|rayé|« Demat »} ; 29,00 ; @lettres
Manteau {en laine|caban} ; 179,00 ; @femme
Foulard {hermines|iris|vagues} ; 35,00
Écharpe {en laine|en mohair} ; 39,00 ; @couleurs
Bonnet de pêcheur ; 24,00 ; @couleurs
Chapeau de paille ; 32,00
Ceinture tressée ; 29,00
Collants {opaques|fantaisie} ; 12,90
`,
	},
	{
		category: "vetements-homme", naf: "47.71Z", weight: 3, hours: retail, season: fashion, vat: 2000,
		stock: [2]int{0, 5}, lead: [2]int{30, 120}, delivers: 20, area: [2]int{40, 160}, jobs: [2]int{1, 4},
		services: []string{"gift-wrap", "alterations"},
		names:    []string{"{nom} Homme", "Le Dressing de {prenom}", "Gwalarn", "Au Caban", "Tailleur {nom}", "L'Homme du port", "Bord à bord"},
		about:    []string{"Du ciré au costume, conseils et retouches à {commune}.", "Vêtements d'homme de bonnes maisons, beaucoup bretonnes."},
		words:    []string{"Retouche offerte.", "Fabriqué dans le Finistère.", "Tombe bien, tient longtemps.", "Une pièce à garder."},
		goods: `
Marinière {marine|écrue|« équipage »} ; 55,00 ; @homme
Pull marin {boutonné à l'épaule|col camionneur|col rond} ; 95,00 ; @homme
Chemise {oxford|en lin|à carreaux|en jean} ; 59,00 ; @homme
Polo {uni|rayé} ; 45,00 ; @homme
Tee-shirt {uni|« Naoned - An Oriant »|poche} ; 27,00 ; @homme
Jean {droit|ajusté} ; 75,00 ; Taille: 38, 40, 42, 44, 46
Chino {beige|marine|kaki} ; 65,00 ; Taille: 38, 40, 42, 44, 46
Bermuda ; 45,00 ; Taille: 38, 40, 42, 44
Caban d'officier ; 189,00 ; @homme
Ciré {court|long} ; 109,00 ; @homme
Veste {de costume|de quart|matelassée} ; 149,00 ; @homme
Vareuse {rouge brique|bleue|écrue} ; 69,00 ; @homme
Bonnet {docker|à revers} ; 22,00 ; @couleurs
Casquette {de marin|en tweed} ; 34,00
Chaussettes {rayées|en laine|hermines} ; 9,90 ; Pointure: 39-42, 43-46
Ceinture en cuir ; 39,00 ; Longueur: 85 cm, 95 cm, 105 cm
Cravate {en soie|tricotée} ; 35,00
Bretelles ; 29,00
Écharpe {unie|tartan breton} ; 42,00
`,
	},
	{
		category: "vetements-enfant", naf: "47.71Z", weight: 2, hours: retail, season: school, vat: 2000,
		stock: [2]int{0, 5}, lead: [2]int{30, 120}, delivers: 20, area: [2]int{30, 110}, jobs: [2]int{1, 3},
		services: []string{"gift-wrap", "birth-list"},
		names:    []string{"Les Petits Mousses", "Bugale", "La Malle de {prenom}", "Pirouette", "Le Petit Corsaire", "Bout d'Orient", "Chez Loulou"},
		about:    []string{"Vêtements de la naissance à douze ans, listes de naissance, à {commune}."},
		words:    []string{"Doux, sans étiquette qui gratte.", "Solide à la récré.", "Se passe au petit frère.", "Lavable en machine."},
		goods: `
Marinière {rouge|marine|jaune} ; 29,00 ; @enfant
Ciré {jaune|rouge|marine} ; 49,00 ; @enfant
Salopette {en jean|en velours} ; 39,00 ; @enfant
Robe {à smocks|rayée} ; 36,00 ; @enfant
Pantalon {doublé|en toile} ; 29,00 ; @enfant
Tee-shirt {baleine|phare|« Moussaillon »} ; 17,00 ; @enfant
Pull {goéland|jacquard} ; 39,00 ; @enfant
Pyjama {étoiles|bateaux} ; 25,00 ; @enfant
Short de plage ; 19,00 ; @enfant
Body {rayé|uni|« Bihan »} ; 14,00 ; @bébé
Grenouillère {velours|coton} ; 24,00 ; @bébé
Combinaison pilote ; 45,00 ; @bébé
Bonnet {de mousse|à oreilles} ; 14,00
Chaussons en cuir ; 27,00 ; Taille: 0-6 mois, 6-12 mois, 12-18 mois
Doudou {phoque|macareux|mouton} ; 19,50
Couverture de naissance ; 39,00 ; @couleurs
Bavoir {triskell|lange} ; 9,90
Cape de bain ; 29,00
Bottes de pluie {jaunes|marine} ; 24,00 ; @petits
Sac à dos {renard|baleine} ; 28,00
Moufles {en laine|étanches} ; 13,00
`,
	},
	{
		category: "lingerie", naf: "47.71Z", weight: 2, hours: retail, season: fashion, vat: 2000,
		stock: [2]int{0, 5}, lead: [2]int{30, 120}, delivers: 15, area: [2]int{25, 80}, jobs: [2]int{1, 3},
		services: []string{"gift-wrap", "try-on-by-appointment"},
		names:    []string{"Lingerie {prenom}", "Dentelle et Coton", "Sous le Kabig", "L'Écrin de {lieu}", "Froufrous d'Armor", "Au Boudoir"},
		about:    []string{"Lingerie de jour, de nuit et de bain ; conseil de taille sans rendez-vous, à {commune}."},
		words:    []string{"Fabrication française.", "Très doux.", "Échange sous quinze jours.", "Conseil de taille en boutique ou par téléphone."},
		goods: `
Soutien-gorge {corbeille|triangle|sport|d'allaitement} ; 42,00 ; @bonnets
Soutien-gorge {« Iris »|« Hermine »} en dentelle ; 54,00 ; @bonnets
Culotte {taille haute|menstruelle|en coton|en dentelle} ; 19,00 ; @lettres
Boxer {uni|rayé} ; 22,00 ; @homme
Caleçon {à ancres|vichy} ; 19,00 ; @homme
Nuisette {en satin|en coton} ; 45,00 ; @lettres
Pyjama {rayé|en flanelle|court} ; 49,00 ; @lettres
Robe de chambre ; 69,00 ; @lettres
Maillot de bain {une pièce|deux pièces} ; 59,00 ; @femme
Paréo ; 29,00 ; @couleurs
Collants {15 deniers|40 deniers|laine} ; 14,00 ; Taille: 1-2, 3-4
Bas autofixants ; 17,00 ; Taille: 1-2, 3-4
Chaussettes {en fil d'Écosse|lurex} ; 8,50
Débardeur {en soie|thermique} ; 29,00 ; @lettres
Body {manches longues|dentelle} ; 49,00 ; @lettres
Peignoir {nid d'abeille|éponge} ; 65,00 ; @lettres
Pochon de lavage ; 6,90
Carte cadeau ; 30,00 ; Montant: 30 €, 50 € 50,00, 80 € 80,00
`,
	},
	{
		category: "chaussures", naf: "47.72A", weight: 3, hours: retail, season: fashion, vat: 2000,
		stock: [2]int{0, 4}, lead: [2]int{30, 120}, delivers: 15, area: [2]int{50, 200}, jobs: [2]int{1, 5},
		services: []string{"repair"},
		names:    []string{"Chaussures {nom}", "Botoù", "Au Pied marin", "Le Sabot d'or", "Pas à pas", "Chausseur {nom} père et fille", "La Semelle de {lieu}"},
		about:    []string{"Chaussures de ville, de pluie et de pont ; cordonnerie, à {commune}."},
		words:    []string{"De bonne maison.", "Réparable dans notre atelier.", "Conseil de pointure en boutique.", "Tient, même sur un pont mouillé."},
		goods: `
Bottines {à lacets|à zip|plates} ; 109,00 ; @pieds
Ballerines {nude|vernies} ; 69,00 ; @pieds
Escarpins ; 89,00 ; @pieds
Sandales {tressées|à bride|compensées} ; 65,00 ; @pieds
Espadrilles {rayées|unies} ; 29,00 ; @pieds
Mocassins {femme|à pampilles} ; 95,00 ; @pieds
Baskets {blanches|rétro|« Breizh »} ; 85,00 ; @pieds
Derbies {noirs|cognac} ; 119,00 ; @pieds-h
Chaussures bateau {marine|brunes} ; 89,00 ; @pieds-h
Chaussures de sécurité ; 79,00 ; @pieds-h
Chaussons {en feutre|charentaises} ; 32,00 ; @pieds-h
Bottes de pluie {femme|marines} ; 59,00 ; @pieds
Sabots en bois {« Botoù-koad »|vernis} ; 49,00 ; @pieds
Chaussures premiers pas ; 55,00 ; Pointure: 18, 19, 20, 21, 22
Baskets enfant {à scratch|lumineuses} ; 39,00 ; @petits
Sandales de plage enfant ; 15,00 ; @petits
Cirage {noir|incolore|brun} ; 7,50
Lacets {ronds|plats} ; 3,90 ; Longueur: 75 cm, 90 cm, 120 cm
Semelles {en laine|en liège} ; 9,90
Chausse-pied en hêtre ; 12,00
`,
	},
	{
		category: "maroquinerie", naf: "47.72B", weight: 2, hours: retail, season: gifts, vat: 2000,
		stock: [2]int{1, 8}, lead: [2]int{30, 120}, delivers: 15, area: [2]int{25, 90}, jobs: [2]int{1, 3},
		services: []string{"gift-wrap", "repair"},
		names:    []string{"Maroquinerie {nom}", "Le Cuir et la Voile", "Lêr", "Bagages de L'Orient", "Sellerie {nom}", "La Besace de {prenom}"},
		about:    []string{"Cuirs et voiles recyclées, cousus à l'atelier de {commune}."},
		words:    []string{"Se patine avec le temps.", "Chaque pièce est unique.", "Cousu à la main.", "Réparable à vie dans notre atelier."},
		goods: `
Sac {seau|cabas|besace|week-end} en cuir ; 149,00 ; Couleur: noir, cognac, bleu nuit
Sac {marin|de plage} en voile ; 75,00 ; Taille: M, L 89,00
Pochette {en cuir|en voile} ; 45,00 ; Couleur: noir, cognac, rouge
Portefeuille {femme|homme|compact} ; 59,00 ; Couleur: noir, cognac
Porte-monnaie « boîte à sous » ; 29,00
Porte-cartes {cuir|saumon tanné} ; 25,00
Ceinture {unie|tressée|réversible} ; 45,00 ; Longueur: 85 cm, 95 cm, 105 cm
Sac à dos {cuir|toile enduite} ; 119,00 ; Couleur: marine, kaki
Cartable d'écolier ; 89,00 ; Taille: 35 cm, 38 cm 99,00
Valise cabine {souple|rigide} ; 129,00
Trousse de toilette {cuir|voile} ; 49,00
Porte-clés {ancre|hermine|bosco} ; 12,00
Étui à lunettes ; 22,00
Gants {doublés|de conduite} ; 55,00 ; Taille: 7, 7½, 8, 8½
Parapluie {breton|pliant} ; 39,00 ; @couleurs
Bracelet de montre ; 29,00 ; Largeur: 18 mm, 20 mm, 22 mm
Crème pour cuir ; 11,50
Housse d'ordinateur ; 39,00 ; Taille: 13 pouces, 15 pouces
Laisse {en cuir|en drisse} ; 27,00
Sous-main ; 65,00
`,
	},
	{
		category: "bijouterie", naf: "47.77Z", weight: 3, hours: retail, season: gifts, vat: 2000,
		stock: [2]int{1, 5}, lead: [2]int{60, 240}, delivers: 10, area: [2]int{20, 70}, jobs: [2]int{1, 4},
		services: []string{"gift-wrap", "repair", "engraving"},
		names:    []string{"Bijouterie {nom}", "Horlogerie {nom}", "L'Écrin de L'Orient", "Aour hag Arc'hant", "Perles d'Armor", "Le Temps retrouvé", "Atelier {prenom} {nom}, joaillière"},
		about:    []string{"Bijoux d'or et d'argent, montres et réparations, à {commune}.", "Bijoux celtiques dessinés et fondus sur place."},
		words:    []string{"Dans son écrin.", "Gravure offerte.", "Garantie deux ans."},
		goods: `
Pendentif {triskell|hermine|ancre|croix celtique|phare} ; 39,00 ; Métal: argent, plaqué or 49,00, or 750 290,00
Boucles d'oreilles {créoles|puces|pendantes|nacre} ; 35,00 ; Métal: argent, plaqué or 42,00
Bracelet {jonc|maille marine|cordon|perles} ; 45,00 ; Taille: 17 cm, 19 cm
Bague {anneau|entrelacs|solitaire|nœud marin} ; 55,00 ; Taille: 50, 52, 54, 56, 58
Alliance {demi-jonc|plate} ; 320,00 ; Taille: 50, 54, 58, 62
Collier {de perles|ras-de-cou|sautoir} ; 79,00
Montre {femme|homme|de plongée|marée} ; 119,00 ; Bracelet: cuir, acier 139,00
Réveil {mécanique|de voyage} ; 29,00
Pendule de marine ; 149,00
Baromètre en laiton ; 129,00
Chaîne {forçat|gourmette} ; 49,00 ; Longueur: 45 cm, 50 cm, 60 cm
Boutons de manchette {ancre|hermine} ; 49,00
Médaille de baptême ; 119,00 ; Métal: argent, or 750 245,00
Gourmette d'enfant ; 59,00
Broche {coiffe|sardine} ; 32,00
Écrin de voyage ; 35,00
Nettoyant à bijoux ; 9,90
`,
	},
	{
		category: "mercerie", naf: "47.51Z", weight: 2, hours: retail, season: everyday, vat: 2000,
		stock: [2]int{3, 30}, lead: [2]int{30, 120}, delivers: 20, area: [2]int{30, 90}, jobs: [2]int{1, 3},
		services: []string{"workshops", "alterations"},
		names:    []string{"Mercerie {nom}", "Au Fil de {lieu}", "La Pelote bretonne", "Gloan", "Laines et Cætera", "Le Dé d'argent", "La Bobine de {prenom}"},
		about:    []string{"Laines, tissus et boutons ; ateliers tricot le jeudi, à {commune}."},
		words:    []string{"Conseils au comptoir.", "Existe en d'autres coloris.", "Pour débuter ou se perfectionner."},
		goods: `
Pelote de laine {mérinos|mohair|d'Ouessant|chaussettes|layette} ; 6,90 ; Couleur: écru, bleu pétrole, ocre, rouille
Pelote de coton {peigné|recyclé} ; 4,20 ; Couleur: blanc, marine, corail
Tissu {liberty|rayé marine|lin lavé|popeline|double gaze} ; 16,90 ; Longueur: 1 m, 2 m 32,00
Aiguilles à tricoter {bambou|circulaires} ; 8,50 ; Taille: n° 3, n° 4, n° 5, n° 6
Crochet ergonomique ; 5,90 ; Taille: 3 mm, 4 mm, 5 mm
Fil à coudre {polyester|coton|invisible} ; 3,20 ; Couleur: noir, blanc, marine
Boutons {nacre|ancre|bois} ; 3,90 ; Lot: 4, 8 6,90
Fermeture à glissière ; 2,90 ; Longueur: 20 cm, 40 cm, 60 cm
Ruban {velours|gros-grain|hermines} ; 2,40
Élastique {plat|rond} ; 2,10
Ciseaux {de couturière|cigogne} ; 17,50
Canevas {« Les coiffes »|« Le phare »} ; 29,00
Broderie : kit {glazig|bigouden|iris} ; 24,00
Patron {robe|marinière|bébé} ; 15,00
Mètre ruban ; 3,50
Coffret à couture ; 32,00
Biais {uni|fantaisie} ; 2,60
Pressions {métal|résine} ; 4,50
`,
	},
}
