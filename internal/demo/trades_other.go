package demo

// The trades of moving, of looking after oneself, and the crafts.
var otherTrades = []*trade{
	{
		category: "velo", naf: "47.64Z", weight: 3, hours: retail, season: garden, vat: 2000,
		stock: [2]int{1, 10}, lead: [2]int{60, 240}, delivers: 15, area: [2]int{50, 250}, jobs: [2]int{1, 5},
		services: []string{"repair", "bike-hire"},
		names:    []string{"Cycles {nom}", "Marc'h-houarn", "Le Petit Plateau", "La Roue libre", "Vélos de {lieu}", "L'Échappée belle"},
		about:    []string{"Vente, location et réparation de vélos, à {commune}."},
		words:    []string{"Essayé par l'équipe.", "Garantie deux ans.", "Pose et réglage à l'atelier."},
		goods: `
Vélo {de ville|de route|tout chemin|pliant|gravel} ; 590,00 ; Taille: S, M, L
Vélo électrique {de ville|cargo|tout chemin} ; 1990,00 ; Taille: M, L
Vélo enfant {14 pouces|16 pouces|20 pouces} ; 189,00 ; Couleur: rouge, bleu
Draisienne ; 79,00 ; Couleur: jaune, bleue
Casque {urbain|de route|enfant} ; 49,90 ; Taille: S, M, L
Antivol {en U|chaîne|pliant} ; 39,90 ; Longueur: 80 cm, 120 cm 49,90
Éclairage {avant|arrière|jeu complet} ; 24,90
Chambre à air {26 pouces|28 pouces|700} ; 6,90 ; Valve: Schrader, Presta
Pneu {ville|route|renforcé} ; 24,90 ; Diamètre: 26, 28, 700
Pompe {à pied|mini} ; 24,90
Sacoche {arrière|de guidon|étanche} ; 49,90
Porte-bébé ; 99,00
Panier {osier|métal} ; 29,90
Sonnette {classique|« Dring Breizh »} ; 9,90
Rustines ; 4,50
Huile de chaîne ; 8,90
Gants {longs|mitaines} ; 24,90 ; Taille: S, M, L, XL
Cape de pluie ; 45,00 ; Couleur: jaune, marine
Cuissard ; 59,00 ; @homme
Maillot {hermine|« Pays de Lorient »} ; 55,00 ; @lettres
Béquille ; 14,90
Gourde ; 8,90
`,
	},
	{
		category: "surf", naf: "47.64Z", weight: 2, hours: retail, season: summer, vat: 2000,
		stock: [2]int{0, 8}, lead: [2]int{30, 120}, delivers: 15, area: [2]int{50, 220}, jobs: [2]int{1, 5},
		services: []string{"repair", "board-hire"},
		names:    []string{"Surf shop de {lieu}", "Gwagenn", "La Vague de {prenom}", "Set de sept", "Loc'h Surf", "Offshore", "West Swell"},
		about:    []string{"Planches, combinaisons et cours ; la marée du jour affichée en vitrine, à {commune}."},
		words:    []string{"Testé à Guidel-Plages.", "Pour débuter sans se décourager.", "Résiste au sel."},
		goods: `
Planche {en mousse|longboard|shortboard|fish|évolutive} ; 349,00 ; Taille: 6'0, 7'0, 8'0 389,00
Combinaison {4/3|3/2|5/4} ; 199,00 ; @homme
Combinaison femme {4/3|3/2} ; 199,00 ; @lettres
Combinaison enfant ; 119,00 ; @enfant
Shorty ; 79,00 ; @lettres
Bodyboard ; 69,00 ; Taille: 38 pouces, 42 pouces 89,00
Leash ; 27,90 ; Longueur: 6 pieds, 8 pieds
Wax {eau froide|eau tempérée} ; 3,50 ; Lot: 1, 5 15,00
Dérives {thruster|twin} ; 59,00
Housse {chaussette|rembourrée} ; 49,00 ; Taille: 6'6, 8'0
Chaussons {3 mm|5 mm} ; 42,00 ; @pieds-h
Gants néoprène ; 34,00 ; Taille: S, M, L
Cagoule ; 32,00 ; Taille: S, M, L
Lycra {manches longues|enfant} ; 35,00 ; @lettres
Poncho {adulte|enfant} ; 49,00 ; @couleurs
Boardshort {uni|fleuri} ; 49,00 ; @homme
Tee-shirt {« Guidel »|« Kaolins »|« Toulhars »} ; 29,00 ; @lettres
Kit de réparation ; 17,90
Crème solaire {minérale|stick} ; 14,90
Skateboard {complet|cruiser} ; 89,00
Paddle gonflable ; 349,00
`,
	},
	{
		category: "nautisme", naf: "47.64Z", weight: 2, hours: early, season: summer, vat: 2000,
		stock: [2]int{1, 20}, lead: [2]int{30, 180}, delivers: 20, area: [2]int{60, 450}, jobs: [2]int{1, 7},
		services: []string{"repair", "order-by-phone"},
		names:    []string{"Accastillage {nom}", "Le Shipchandler de {lieu}", "Bosco & Cie", "Voilerie {nom}", "Mor Bras Marine", "Le Taquet", "Corderie {nom}"},
		about:    []string{"Accastillage, sécurité et cordages au mètre, à {commune}."},
		words:    []string{"Éprouvé par les bateaux du port.", "Résiste au sel.", "Disponible sur commande en d'autres tailles."},
		goods: `
Gilet {100 N|150 N automatique|enfant} ; 79,00 ; Taille: M, L, XL
Bout {polyester|dyneema|d'amarrage} ; 19,90 ; Diamètre: 8 mm, 10 mm 26,90, 12 mm 34,90
Manille {droite|lyre|textile} ; 7,90 ; Taille: 6 mm, 8 mm 10,90
Poulie {simple|double|à émerillon} ; 24,90 ; Réa: 40 mm, 57 mm 34,90
Taquet {coinceur|d'amarrage} ; 14,90 ; Taille: 150 mm, 200 mm 19,90
Pare-battage {blanc|marine} ; 22,90 ; Taille: M, L 32,90
Ancre {plate|à soc} ; 59,00 ; Poids: 6 kg, 10 kg 89,00
Chaîne galvanisée ; 49,00
Feux à main ; 39,90 ; Lot: 1, 3 109,00
Compas de route ; 129,00
VHF {portable|fixe} ; 149,00
Ciré de quart {veste|salopette} ; 169,00 ; @homme
Bottes de pont ; 79,00 ; @pieds-h
Antifouling {rouge|noir|bleu} ; 64,90 ; Contenance: 0,75 l, 2,5 l 169,00
Carte marine {Groix - Gâvres|rade de Lorient|Belle-Île} ; 29,90
Annuaire des marées ; 3,90 ; 550
Seau à bout ; 12,90
Couteau de marin ; 34,00
Bâton de pêche : {canne|moulinet|épuisette} ; 49,90
Leurre {maquereau|bar|lançon} ; 8,90 ; Poids: 20 g, 40 g 11,90
Pavillon {breton|national|de courtoisie} ; 12,90 ; Taille: 30 × 45, 50 × 75 17,90
Lampe frontale étanche ; 29,90
`,
	},
	{
		category: "articles-de-sport", naf: "47.64Z", weight: 2, hours: retail, season: garden, vat: 2000,
		stock: [2]int{1, 12}, lead: [2]int{30, 120}, delivers: 15, area: [2]int{80, 500}, jobs: [2]int{1, 7},
		services: []string{"racket-stringing"},
		names:    []string{"{nom} Sports", "Sport de {lieu}", "Redek", "Le Troisième Mi-temps", "Les Merlus", "Foulée d'Armor"},
		about:    []string{"Course, football, randonnée et clubs, à {commune}."},
		words:    []string{"Prix club sur présentation de la licence.", "Pour débutants et confirmés.", "Essayé sur le GR 34."},
		goods: `
Chaussures de course {route|trail|compétition} ; 119,00 ; @pieds-h
Chaussures de course femme {route|trail} ; 119,00 ; @pieds
Crampons {moulés|vissés} ; 79,00 ; @pieds-h
Ballon de {football|handball|basket|rugby|gouren} ; 24,90
Maillot {« Merlus »|de club|thermique} ; 39,00 ; @homme
Short {de course|de football} ; 24,90 ; @homme
Legging ; 39,90 ; @lettres
Veste coupe-vent ; 69,00 ; @lettres
Chaussettes {de course|de randonnée} ; 11,90 ; Pointure: 36-38, 39-42, 43-46
Sac à dos {20 l|40 l} ; 59,00
Bâtons de marche ; 49,90
Raquette de {tennis|badminton|ping-pong} ; 49,90
Balles de {tennis|ping-pong} ; 7,90
Maillot de bain {homme|femme} ; 32,90 ; @lettres
Lunettes de natation ; 19,90
Bonnet de bain ; 8,90
Tapis de yoga ; 29,90 ; @couleurs
Haltères ; 19,90 ; Poids: 2 kg, 5 kg 34,90
Corde à sauter ; 9,90
Gourde isotherme ; 22,90
Boules {de pétanque|bretonnes} ; 69,00
Montre de course ; 179,00
`,
	},
	{
		category: "coiffure", naf: "96.02A", weight: 6, village: true, hours: service, season: everyday, vat: 2000,
		stock: [2]int{2, 18}, lead: [2]int{20, 90}, delivers: 8, area: [2]int{30, 90}, jobs: [2]int{1, 5},
		services: []string{"appointments"},
		names:    []string{"Coiffure {prenom}", "{prenom} Coiffure", "L'Atelier du cheveu", "Blev", "Au Coup de peigne", "Salon {nom}", "Tif'Armor", "Barbier du Port"},
		about:    []string{"Salon mixte ; nos produits à retirer sans rendez-vous, à {commune}."},
		words:    []string{"Utilisé au salon.", "Conseillé par nos coiffeuses.", "Format voyage sur demande."},
		goods: `
Shampooing {doux|cheveux colorés|volume|antipelliculaire|aux algues} ; 14,90 ; Contenance: 250 ml, 500 ml 24,90
Après-shampooing {nourrissant|démêlant} ; 15,90 ; Contenance: 200 ml, 400 ml 26,90
Masque {réparateur|à la kératine|au karité} ; 19,90 ; Contenance: 150 ml, 300 ml 33,90
Huile {d'argan|de ricin|à barbe} ; 17,90 ; Contenance: 50 ml, 100 ml 29,90
Sérum pointes ; 18,90
Laque {souple|forte} ; 12,90 ; Contenance: 100 ml, 300 ml 21,90
Mousse coiffante ; 13,90
Cire {mate|brillante} ; 12,50 ; Contenance: 50 ml, 100 ml 19,90
Gel {fixation forte|naturel} ; 9,90 ; Contenance: 150 ml, 300 ml 15,90
Spray {à l'eau de mer|thermoprotecteur} ; 14,90 ; Contenance: 100 ml, 200 ml 23,90
Shampooing solide {argile|avoine} ; 8,90 ; Poids: 60 g, 110 g 12,90
Brosse {plate|ronde|démêlante} ; 16,90 ; Taille: petite, grande 19,90
Peigne {en bois|à barbe} ; 9,90
Sèche-cheveux ; 79,00
Lisseur ; 89,00
Tondeuse ; 59,00
Baume à barbe ; 16,50
Coloration végétale {châtain|cuivré|brun|henné} ; 17,90 ; Dose: simple, double 31,90
Élastiques {invisibles|en soie} ; 6,90 ; Lot: 3, 10 14,90
Chouchou {« Gwenn ha Du »|velours} ; 5,90
Serviette microfibre ; 12,90
Carte cadeau ; 30,00 ; Montant: 30 €, 50 € 50,00
`,
	},
	{
		category: "parfumerie", naf: "47.75Z", weight: 3, hours: retail, season: gifts, vat: 2000,
		stock: [2]int{1, 12}, lead: [2]int{20, 90}, delivers: 15, area: [2]int{30, 160}, jobs: [2]int{1, 6},
		services: []string{"gift-wrap", "appointments"},
		names:    []string{"Parfumerie {nom}", "C'hwezh vat", "Institut {prenom}", "L'Iode et la Rose", "Belle-Île & Moi", "Fleur de peau"},
		about:    []string{"Parfums, soins marins et institut, à {commune}."},
		words:    []string{"Fabriqué en Bretagne.", "Testeur en boutique.", "Échantillon offert."},
		goods: `
Eau de parfum {« Grand Large »|« Bruyère »|« L'Orient »|« Ambre »} ; 69,00 ; Contenance: 30 ml, 50 ml 89,00, 100 ml 119,00
Eau de toilette {« Embruns »|« Vétiver »|« Agrumes »} ; 49,00 ; Contenance: 50 ml, 100 ml 69,00
Crème de jour {aux algues|hydratante|teintée} ; 34,90 ; Contenance: 50 ml, 100 ml 54,90
Crème de nuit {régénérante|apaisante} ; 38,90 ; Contenance: 50 ml, 100 ml 62,90
Sérum {vitamine C|acide hyaluronique} ; 42,00
Gommage {au sel marin|au sucre} ; 22,90 ; Contenance: 150 ml, 300 ml 36,90
Masque {argile|aux algues|hydratant} ; 19,90 ; Contenance: 50 ml, 100 ml 32,90
Lait {démaquillant|pour le corps} ; 17,90 ; Contenance: 200 ml, 400 ml 28,90
Rouge à lèvres {corail|cerise|nude|« Mûre »} ; 24,90 ; Fini: mat, brillant
Vernis {rouge|bleu nuit|sable} ; 11,90
Mascara ; 22,90
Fond de teint ; 32,00 ; Teinte: clair, moyen, foncé
Savon {à l'eau de mer|au lait de jument|surgras} ; 6,90 ; Lot: 1, 3 17,90
Sels de bain ; 12,90
Huile {sèche|de massage} ; 24,90 ; Contenance: 50 ml, 100 ml 39,90
Coffret {détente|homme|« Fête des mères »} ; 45,00
Après-rasage ; 29,00
Déodorant {pierre d'alun|crème} ; 9,90
Brosse visage ; 14,90
Bon pour un soin {visage|dos} ; 55,00
`,
	},
	{
		category: "optique", naf: "47.78A", weight: 3, hours: service, season: everyday, vat: 2000,
		stock: [2]int{1, 6}, lead: [2]int{60, 1440}, delivers: 8, area: [2]int{40, 140}, jobs: [2]int{2, 6},
		services: []string{"repair", "appointments", "home-visits"},
		names:    []string{"Optique {nom}", "Les Lunettes de {lieu}", "L'Œil du phare", "Lunedoù", "Opticien {nom}", "Vue sur mer"},
		about:    []string{"Lunettes, lentilles et audition ; atelier de montage à {commune}."},
		words:    []string{"Ajusté en boutique.", "Garanti deux ans.", "Choisi pour durer."},
		goods: `
Lunettes de soleil {marin|rondes|papillon|sport|flottantes} ; 89,00 ; Couleur: noir, écaille, bleu
Lunettes de soleil enfant ; 29,00 ; Âge: 2-4 ans, 4-8 ans
Monture {acétate|titane|bois|enfant} ; 119,00 ; Couleur: noir, écaille
Lunettes de lecture {rondes|rectangulaires} ; 24,90 ; Correction: +1,50, +2,00, +2,50
Lunettes anti-lumière bleue ; 39,00
Masque de {plongée|ski} ; 59,00
Lunettes de natation à la vue ; 39,00 ; Correction: −2,00, −3,00, −4,00
Cordon {cuir|drisse|silicone} ; 12,90 ; Couleur: noir, marine
Étui {rigide|souple|en voile} ; 14,90 ; Couleur: noir, bleu
Spray nettoyant ; 6,90 ; Contenance: 35 ml, 100 ml 11,90
Lingettes ; 5,90
Microfibre {phare|hermine} ; 4,90
Lentilles {journalières|mensuelles} ; 24,90 ; Boîte: 30, 90 64,90
Solution pour lentilles ; 12,90 ; Contenance: 100 ml, 360 ml 17,90
Jumelles {8 × 42|10 × 25} ; 149,00
Loupe {à main|éclairante} ; 19,90
Longue-vue ; 189,00
Baromètre ; 79,00
Bouchons d'oreilles {moulés|de bain} ; 19,90
Piles auditives ; 5,90
Étui à lentilles ; 3,50
Chaînette {perles|métal} ; 17,90
`,
	},
	{
		category: "herboristerie", naf: "47.75Z", weight: 1, hours: retail, season: everyday, vat: 2000,
		stock: [2]int{2, 24}, lead: [2]int{20, 90}, delivers: 25, area: [2]int{20, 70}, jobs: [2]int{1, 2},
		services: []string{"workshops"},
		names:    []string{"Herboristerie {nom}", "Louzoù", "Les Simples de {prenom}", "La Tisanière", "Plantes de la lande", "Brocéliande & Cie"},
		about:    []string{"Plantes, tisanes et huiles essentielles, à {commune}. Ne remplace pas un avis médical."},
		words:    []string{"Production locale.", "Biologique.", "Demandez conseil avant usage."},
		goods: `
Tisane {sommeil|digestion|hiver|« Après fest-noz »|détente} ; 7,90 ; Poids: 50 g, 100 g 13,90 ; 550
Plante sèche : {thym|tilleul|verveine|ortie|menthe|camomille|mauve} ; 4,90 ; Poids: 30 g, 100 g 12,90 ; 550
Huile essentielle {lavande|ravintsara|tea tree|eucalyptus|citron} ; 7,90 ; Contenance: 10 ml, 30 ml 18,90
Hydrolat {de rose|de fleur d'oranger|d'hamamélis} ; 9,90 ; Contenance: 100 ml, 200 ml 16,90
Macérat huileux {calendula|arnica|millepertuis} ; 12,90 ; Contenance: 50 ml, 100 ml 21,90
Baume {du marin|aux orties|respiratoire} ; 11,90 ; Pot: 30 ml, 60 ml 19,90
Miel {au thym|à la propolis} ; 8,90 ; 550
Gelée royale ; 22,90 ; 550
Spiruline bretonne ; 14,90 ; Présentation: brindilles, comprimés ; 550
Savon {à l'ortie|au foin|à la bruyère} ; 6,50
Argile {verte|blanche} ; 6,90
Bougie d'oreille ; 8,90
Diffuseur ; 34,90
Bouillotte {aux noyaux|classique} ; 24,90
Sirop {de sureau|d'ortie|de violette} ; 8,50 ; 550
Coffret aromathérapie ; 39,00
`,
	},
	{
		category: "telephonie", naf: "47.42Z", weight: 3, hours: retail, season: everyday, vat: 2000,
		stock: [2]int{1, 20}, lead: [2]int{20, 120}, delivers: 15, area: [2]int{25, 120}, jobs: [2]int{1, 5},
		services: []string{"repair", "data-recovery"},
		names:    []string{"Télé-Phone {lieu}", "Pellgomz", "Informatique {nom}", "Le Réparateur de L'Orient", "Allô {prenom}", "Urzhiataer", "Écran total"},
		about:    []string{"Téléphones reconditionnés, réparation dans l'heure, à {commune}."},
		words:    []string{"Garanti un an.", "Mise en service offerte.", "Testé à l'atelier."},
		goods: `
Téléphone reconditionné {5,4 pouces|6,1 pouces|6,7 pouces} ; 249,00 ; Stockage: 64 Go, 128 Go 299,00, 256 Go 349,00
Téléphone {à grosses touches|à clapet} ; 49,90
Coque {silicone|bois|« Gwenn ha Du »|étanche} ; 17,90 ; @couleurs
Verre de protection ; 14,90
Chargeur {USB-C|secteur|de voiture|sans fil} ; 19,90 ; Puissance: 20 W, 45 W 29,90
Câble {USB-C|micro-USB} ; 12,90 ; Longueur: 1 m, 2 m 16,90
Batterie externe ; 29,90 ; Capacité: 10 000 mAh, 20 000 mAh 44,90
Écouteurs {filaires|sans fil} ; 29,90 ; Couleur: noirs, blancs
Enceinte {portable|étanche} ; 49,90 ; Couleur: noire, bleue
Ordinateur portable reconditionné ; 349,00 ; Mémoire: 8 Go, 16 Go 429,00
Clé USB ; 9,90 ; Capacité: 32 Go, 128 Go 19,90
Disque externe ; 69,00 ; Capacité: 1 To, 2 To 89,00
Souris {filaire|verticale|sans fil} ; 19,90 ; Couleur: noire, blanche
Clavier {français|breton (C'HWERTY)} ; 29,90
Cartouche {noire|couleur} ; 17,90 ; Contenance: standard, XL 29,90
Routeur 4G ; 79,00
Webcam ; 39,90
Remplacement {d'écran|de batterie|de connecteur} ; 69,00
Carte prépayée ; 15,00
Support {de voiture|de bureau} ; 17,90
Montre connectée ; 119,00
`,
	},
	{
		category: "artisanat", naf: "47.78C", weight: 3, village: true, hours: retail, season: summer, vat: 2000,
		stock: [2]int{1, 6}, lead: [2]int{60, 1440}, delivers: 20, area: [2]int{20, 80}, jobs: [2]int{1, 2},
		services: []string{"workshops", "custom-made", "gift-wrap"},
		names:    []string{"Poterie {nom}", "Verrerie de {lieu}", "Atelier {prenom} {nom}", "Pri ha Tan", "Le Tour et la Main", "Vitrail {nom}", "L'Atelier du sabotier", "Terre de {lieu}"},
		about:    []string{"Céramique, verre et bois : l'atelier se visite à {commune}.", "Pièces uniques, faites à la main et signées."},
		words:    []string{"Fait à l'atelier.", "Pièce unique, signée.", "Petite série."},
		goods: `
Bol {grès bleu|raku|« Scorff »|blanc} ; 22,00 ; Taille: petit, grand 29,00
Tasse {à café|à thé|sans anse} ; 16,00 ; Lot: 1, 4 58,00
Assiette {en grès|ovale|« marée basse »} ; 28,00 ; Lot: 1, 4 104,00
Vase {bouteille|soliflore|« Blavet »} ; 45,00 ; Taille: petit, grand 75,00
Plat {à poisson|creux|carré} ; 52,00 ; Taille: moyen, grand 74,00
Photophore {verre soufflé|porcelaine} ; 24,00 ; Lot: 1, 2 45,00
Boule de verre {bleue|d'écume} ; 29,00
Suspension {en porcelaine|en osier} ; 89,00 ; Taille: petite, grande 129,00
Bijou en {verre|porcelaine|ardoise} ; 32,00 ; Forme: pendentif, boucles
Cadran solaire en ardoise ; 119,00
Sculpture {goéland|triskell|sardine} ; 65,00
Planche gravée ; 34,00
Cuillère {en buis|en if} ; 18,00
Sabots décorés ; 42,00
Panier {en osier brut|de pêche} ; 39,00
Vitrail {hermine|bateau} ; 79,00
Couteau forgé ; 129,00
Tabouret tourné ; 95,00
Savonnier ; 14,00
Beurrier à eau ; 32,00
Carreau {peint|émaillé} ; 12,00 ; Lot: 1, 6 66,00
Girouette {coq|bateau|sirène} ; 149,00
Stage d'initiation ; 55,00 ; Durée: 2 h, une journée 110,00
`,
	},
	{
		category: "brocante", naf: "47.79Z", weight: 2, village: true, hours: late, season: summer, vat: 2000,
		stock: [2]int{1, 2}, lead: [2]int{60, 1440}, delivers: 20, area: [2]int{40, 300}, jobs: [2]int{1, 3},
		services: []string{"buy-back", "house-clearance"},
		names:    []string{"Brocante {nom}", "La Malle au trésor", "Kozhigoù", "Deuxième Vie", "Au Grenier de {lieu}", "Recyclerie de {lieu}", "Café-brocante {nom}"},
		about:    []string{"Meubles, vaisselle et curiosités d'autrefois, à {commune}."},
		words:    []string{"Pièce unique.", "Bon état, patine d'usage.", "Restauré par nos soins.", "Visible en boutique."},
		goods: `
Service {de Quimper|à café|en limoges} ; 89,00
Bol ancien {à oreilles|signé} ; 18,00 ; Lot: 1, 4 65,00
Lampe {à pétrole|d'atelier|art déco} ; 65,00
Miroir {à trumeau|biseauté} ; 129,00
Chaise {paillée|d'école|de bistrot} ; 39,00 ; Lot: 1, 4 139,00
Coffre de marin ; 189,00
Horloge comtoise ; 390,00
Sextant d'instruction ; 240,00
Maquette {de thonier|de sinagot|en bouteille} ; 149,00
Carte marine {ancienne|entoilée} ; 79,00
Affiche {des Chemins de fer|de régate} ; 59,00 ; Présentation: nue, encadrée 89,00
Vinyles {33 tours|45 tours} ; 8,00 ; Lot: 1, 10 65,00
Livre ancien relié ; 15,00 ; 550
Vêtement de travail ancien ; 45,00 ; @homme
Dentelle {coiffe|col|nappe} ; 35,00 ; État: bon, à restaurer 19,00
Malle {de voyage|cabine} ; 120,00
Vaisselle {dépareillée|émaillée} ; 6,00 ; Lot: 1, 6 32,00
Outils anciens {rabot|serpe|herminette} ; 24,00
Jouet ancien {en tôle|en bois} ; 49,00
Buffet {breton|parisien} ; 290,00
Hublot en laiton ; 110,00
Bouée en liège ; 55,00
Photographie ancienne {du port|d'un pardon} ; 12,00
Cafetière émaillée ; 22,00
Fauteuil {crapaud|voltaire} ; 160,00
Table de ferme ; 350,00
`,
	},
}
