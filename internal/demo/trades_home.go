package demo

// The trades of the house and the garden. Flowers and plants are at 10 % (CGI art. 278 bis).
var homeTrades = []*trade{
	{
		category: "fleuriste", naf: "47.76Z", weight: 5, village: true, hours: halls, season: flowers, vat: 1000,
		stock: [2]int{3, 20}, lead: [2]int{45, 180}, delivers: 80, area: [2]int{25, 90}, jobs: [2]int{1, 4},
		services: []string{"order-by-phone", "gift-wrap"},
		names:    []string{"Fleurs {nom}", "Bleunioù", "L'Hortensia bleu", "Aux Camélias", "Le Jardin de {prenom}", "La Lande fleurie", "Au Cœur des roses", "Mimosa"},
		about:    []string{"Bouquets de saison, fleurs de Bretagne, livraison le jour même à {commune}."},
		words:    []string{"De producteurs bretons.", "Avec une carte écrite à la main.", "De saison.", "Préparé le matin même."},
		goods: `
Bouquet {champêtre|rond|de roses|de l'artisan|« Bord de mer »|de tulipes|de pivoines|de mimosa} ; 29,00 ; Taille: moyen, grand 42,00, très grand 59,00
Rose {rouge|blanche|rose} à l'unité ; 3,90
Bottes de {jonquilles|renoncules|dahlias} ; 8,90 ; Taille: simple, double 15,90
Orchidée {blanche|rose} ; 24,90
Hortensia {bleu|rose|blanc} en pot ; 19,90 ; Taille: moyen, grand 29,90
Camélia {du Japon|d'automne} ; 29,90 ; Taille: moyen, grand 45,00
Bruyère {d'hiver|commune} ; 7,90
Composition {deuil|de table|de Noël} ; 45,00 ; Taille: moyenne, grande 65,00
Gerbe « {Sérénité|Souvenir} » ; 75,00
Couronne {de l'Avent|de fleurs séchées} ; 35,00
Plante {monstera|ficus|pothos|succulente} ; 17,90 ; Taille: moyenne, grande 32,00
Bonsaï ; 34,90
Bouquet de fleurs séchées ; 32,00 ; @couleurs
Terreau universel ; 8,90 ; Contenance: 10 l, 40 l 17,90 ; 2000
Vase {en verre|en grès} ; 24,90 ; 2000
Cache-pot {tressé|émaillé} ; 14,90 ; 2000
Chrysanthème {en pot|à grosses fleurs} ; 9,90
Muguet du 1er mai ; 2,50 ; Présentation: le brin, le pot 8,90
`,
	},
	{
		category: "decoration", naf: "47.59B", weight: 3, hours: retail, season: gifts, vat: 2000,
		stock: [2]int{1, 12}, lead: [2]int{30, 120}, delivers: 20, area: [2]int{50, 260}, jobs: [2]int{1, 4},
		services: []string{"gift-wrap"},
		names:    []string{"La Maison de {prenom}", "Intérieur marine", "Kaer", "L'Œuvre et le Galet", "Bois flotté", "Aux Trois Hermines", "Comptoir de la rade"},
		about:    []string{"Objets et textiles pour la maison, créateurs d'ici, à {commune}."},
		words:    []string{"Pièce artisanale.", "Créateur d'ici.", "À offrir ou à garder.", "Chaque exemplaire diffère un peu."},
		goods: `
Bougie {figuier|embruns|bruyère|genêt|thé noir} ; 19,90 ; Taille: 180 g, 300 g 29,90
Coussin {rayé|hermines|en lin|brodé} ; 29,90 ; @couleurs
Plaid {en laine|en coton} ; 59,00 ; @couleurs
Lampe {en bois flotté|tempête|en grès} ; 79,00 ; Taille: petite, grande 109,00
Miroir {soleil|hublot|ovale} ; 89,00 ; Taille: 40 cm, 60 cm 129,00
Affiche {« Lorient »|« Groix »|« Larmor-Plage »|« Port-Louis »|« Gâvres »} ; 24,00 ; Format: 30 × 40, 50 × 70 39,00
Vase {soliflore|goutte|en verre recyclé} ; 34,00 ; Taille: petit, grand 49,00
Panier {en osier|en jonc} ; 27,90 ; Taille: M, L 36,90
Guirlande {lumineuse|de fanions} ; 22,90 ; Longueur: 3 m, 6 m 35,00
Tapis {rayé|en jute} ; 69,00 ; Taille: 60 × 90, 120 × 170 149,00
Nœud marin encadré ; 45,00
Phare miniature {des Poulains|de Pen-Men} ; 19,90
Horloge {murale|de marée} ; 49,00
Photophore {en verre|en laiton} ; 14,90 ; Lot: 1, 2 27,00
Nappe {enduite|en lin} ; 45,00 ; Taille: 150 × 150, 150 × 250 65,00
Torchon {« Debriñ mat »|rayé} ; 11,90 ; Lot: 1, 3 32,00
Diffuseur de parfum ; 29,90
Patère {cleat|galet} ; 12,90
Corbeille à pain ; 17,90
Oreiller de voyage ; 24,90
Cadre photo en bois flotté ; 19,90
`,
	},
	{
		category: "arts-de-la-table", naf: "47.59B", weight: 2, hours: retail, season: gifts, vat: 2000,
		stock: [2]int{2, 18}, lead: [2]int{30, 120}, delivers: 20, area: [2]int{40, 160}, jobs: [2]int{1, 4},
		services: []string{"gift-wrap", "wedding-list", "knife-sharpening"},
		names:    []string{"Coutellerie {nom}", "La Table de {prenom}", "Le Bol à oreilles", "Taol Vat", "Faïence et Cuivre", "Cuisine de L'Orient"},
		about:    []string{"Bols à prénom, billigs et couteaux ; affûtage le mardi, à {commune}."},
		words:    []string{"Pour toute une vie.", "Un classique de la maison.", "Existe en coffret cadeau."},
		goods: `
Bol à oreilles {prénom|personnage|hermine|rayé} ; 14,90 ; Taille: petit, grand 17,90
Assiette {plate|creuse|à dessert|à galette} ; 12,90 ; Lot: 1, 6 69,00
Billig {électrique|à gaz} ; 149,00 ; Diamètre: 35 cm, 40 cm 189,00
Rozell et spanell ; 14,90
Poêle {à crêpes|en fonte|en acier} ; 34,90 ; Diamètre: 24 cm, 28 cm 44,90
Cocotte en fonte {rouge|bleue|noire} ; 129,00 ; Diamètre: 24 cm, 28 cm 169,00
Couteau {d'office|de chef|à huîtres|à pain} ; 24,90 ; Manche: bois, inox
Couteau pliant {« Le Marin »|« Le Thonier »} ; 39,00 ; Manche: genêt, corne 59,00
Verre {à cidre|à vin|à eau} ; 5,90 ; Lot: 1, 6 32,00
Bolée à cidre ; 6,90 ; Lot: 1, 6 38,00
Carafe {gravée|simple} ; 24,90
Pichet {à cidre|à lait} ; 22,90 ; Contenance: 0,5 l, 1 l 29,90
Théière {porcelaine|grès} ; 36,00
Plat à {four|poisson|far} ; 24,90 ; Taille: 25 cm, 35 cm 34,90
Moule à {kouign-amann|cake|charlotte} ; 17,90
Beurrier {breton|à eau} ; 27,90
Salière et poivrier ; 16,90
Planche {à découper|apéritif} ; 26,90 ; Taille: petite, grande 38,90
Pierre à aiguiser ; 19,90
Tablier {de cuisinier|marinière} ; 24,90
Casse-noix ; 12,90
`,
	},
	{
		category: "quincaillerie", naf: "47.52A", weight: 3, village: true, hours: early, season: garden, vat: 2000,
		stock: [2]int{3, 40}, lead: [2]int{30, 120}, delivers: 30, area: [2]int{80, 600}, jobs: [2]int{2, 9},
		services: []string{"key-cutting", "tool-hire"},
		names:    []string{"Quincaillerie {nom}", "Bricolage de {lieu}", "La Boîte à outils", "Ostilhoù", "Droguerie {nom}", "Les Établis {nom}"},
		about:    []string{"Outillage, peinture, clés et conseils à {commune}."},
		words:    []string{"Qualité professionnelle.", "Conseils de pose au comptoir.", "Résiste à l'air salin."},
		goods: `
Vis inox {à bois|à métaux|de terrasse} ; 6,90 ; Boîte: 50, 200 21,90
Marteau {de menuisier|arrache-clou} ; 17,90 ; Poids: 300 g, 500 g 22,90
Tournevis {plat|cruciforme|torx} ; 6,50 ; Taille: fin, moyen, gros
Perceuse-visseuse {12 V|18 V} ; 99,00
Scie {égoïne|à métaux|sauteuse} ; 19,90 ; Taille: standard, grande 27,90
Peinture {blanche mate|bleu des îles|façade|à bateau} ; 24,90 ; Contenance: 1 l, 2,5 l 52,00, 10 l 169,00
Lasure {chêne|incolore} ; 22,90 ; Contenance: 1 l, 5 l 84,00
Ruban {adhésif|de masquage|étanche} ; 4,90 ; Longueur: 10 m, 25 m 9,50
Colle {à bois|néoprène|marine} ; 8,90 ; Contenance: 100 ml, 500 ml 21,90
Ampoule {E27|E14|GU10} ; 4,50 ; Lot: 1, 4 15,90
Rallonge électrique ; 14,90 ; Longueur: 5 m, 10 m 22,90, 25 m 44,90
Cadenas {laiton|à code|marine} ; 12,90 ; Taille: 30 mm, 50 mm 18,90
Serrure {à larder|en applique} ; 39,90
Échelle ; 89,00 ; Marches: 4, 6 119,00
Brouette ; 79,00
Sécateur ; 22,90
Tuyau d'arrosage ; 29,90 ; Longueur: 15 m, 25 m 44,90
Pelle {de terrassier|à neige} ; 21,90
Gants de travail ; 7,90 ; Taille: 8, 9, 10
Savon noir ; 6,90 ; Contenance: 1 l, 5 l 24,90
Vinaigre ménager ; 2,90
Piège à frelons ; 9,90
`,
	},
	{
		category: "electromenager", naf: "47.54Z", weight: 2, hours: retail, season: everyday, vat: 2000,
		stock: [2]int{0, 8}, lead: [2]int{60, 240}, delivers: 80, area: [2]int{100, 700}, jobs: [2]int{2, 8},
		services: []string{"repair", "installation", "old-appliance-collection"},
		names:    []string{"Électroménager {nom}", "{nom} & fils", "Le Réparateur de {lieu}", "Tredan", "Pro du pays", "L'Arc électrique"},
		about:    []string{"Électroménager neuf et reconditionné, dépannage à {commune}."},
		words:    []string{"Réparable dans notre atelier.", "Reprise de l'ancien appareil.", "Garanti deux ans."},
		goods: `
Lave-linge {8 kg|10 kg|séchant|reconditionné} ; 449,00 ; Pose: sans, avec 498,00
Lave-vaisselle {12 couverts|encastrable} ; 429,00 ; Pose: sans, avec 478,00
Réfrigérateur {table top|combiné|américain} ; 399,00 ; Pose: sans, avec 448,00
Congélateur {coffre|armoire} ; 349,00
Four {encastrable|pyrolyse|vapeur} ; 389,00 ; Pose: sans, avec 438,00
Plaque {induction|gaz|vitrocéramique} ; 279,00
Hotte {visière|îlot} ; 189,00
Aspirateur {traîneau|balai|robot} ; 179,00 ; Garantie: 2 ans, 5 ans 219,00
Bouilloire {inox|à température} ; 39,90
Grille-pain {2 fentes|4 fentes} ; 44,90
Cafetière {filtre|à grains|expresso} ; 79,00
Robot {pâtissier|cuiseur|multifonction} ; 249,00 ; Garantie: 2 ans, 5 ans 289,00
Mixeur {plongeant|blender} ; 49,90
Fer à repasser {vapeur|centrale} ; 59,90
Radiateur {bain d'huile|soufflant} ; 69,90
Crêpière électrique ; 54,90
Téléviseur {80 cm|108 cm|140 cm} ; 299,00
Radio {de cuisine|étanche} ; 59,90
Détartrant ; 9,90
Sac d'aspirateur ; 12,90
Filtre à eau ; 14,90 ; Lot: 1, 3 39,00
`,
	},
	{
		category: "meubles", naf: "47.59A", weight: 2, hours: retail, season: everyday, vat: 2000,
		stock: [2]int{0, 5}, lead: [2]int{240, 2880}, delivers: 90, area: [2]int{150, 1200}, jobs: [2]int{2, 9},
		services: []string{"installation", "custom-made"},
		names:    []string{"Meubles {nom}", "Literie {nom}", "Arrebeuri", "L'Ébéniste de {lieu}", "Le Lit clos", "Bois et Cætera"},
		about:    []string{"Meubles massifs et literie, dessinés et livrés par nos soins, à {commune}."},
		words:    []string{"Finition à l'huile.", "Livré et monté.", "Fabriqué dans le Morbihan.", "Essayable en boutique."},
		goods: `
Table {de ferme|ronde|basse|gigogne} ; 349,00 ; Bois: chêne, châtaignier 379,00
Chaise {paillée|bistrot|de cuisine} ; 79,00 ; Lot: 1, 4 299,00
Buffet {bas|deux corps} ; 690,00 ; Bois: chêne, châtaignier 720,00
Lit {en chêne|clos revisité|d'enfant} ; 490,00 ; Taille: 90 × 190, 140 × 190 590,00, 160 × 200 690,00
Matelas {laine|latex|mousse} ; 390,00 ; Taille: 90 × 190, 140 × 190 590,00, 160 × 200 690,00
Sommier à lattes ; 179,00 ; Taille: 90 × 190, 140 × 190 249,00
Oreiller {plume|mémoire|synthétique} ; 29,90 ; Taille: 60 × 60, 50 × 70
Couette {légère|chaude} ; 79,00 ; Taille: 140 × 200, 220 × 240 119,00
Canapé {deux places|trois places|convertible} ; 790,00 ; @couleurs
Fauteuil {club|à bascule|en rotin} ; 290,00
Bibliothèque {murale|basse} ; 320,00
Armoire {deux portes|bretonne} ; 890,00
Bureau {d'écolier|d'angle} ; 219,00
Commode {trois tiroirs|cinq tiroirs} ; 340,00
Tabouret {de bar|à traire} ; 59,00
Banc-coffre ; 189,00
Étagère {d'angle|à épices} ; 49,00
Lampadaire ; 119,00
Table de nuit ; 99,00
Cire d'antiquaire ; 14,90
`,
	},
	{
		category: "animalerie", naf: "47.76Z", weight: 2, hours: retail, season: everyday, vat: 2000,
		stock: [2]int{3, 30}, lead: [2]int{30, 120}, delivers: 35, area: [2]int{60, 400}, jobs: [2]int{1, 5},
		services: []string{"grooming"},
		names:    []string{"Animalerie {nom}", "Loened", "Le Chien de quai", "Poils et Plumes", "L'Arche de {lieu}", "La Pâtée de {prenom}"},
		about:    []string{"Tout pour les chiens, les chats et la basse-cour, à {commune}."},
		words:    []string{"Fabriqué en Bretagne.", "Approuvé par notre chat.", "Résiste aux mâchoires d'un épagneul breton."},
		goods: `
Croquettes chien {adulte|chiot|senior|au saumon} ; 14,90 ; Poids: 3 kg, 12 kg 49,90
Croquettes chat {stérilisé|d'intérieur|au poisson} ; 12,90 ; Poids: 1,5 kg, 7 kg 44,90
Pâtée {bœuf|volaille|sardine} ; 1,60 ; Lot: 1, 12 17,90
Litière {végétale|minérale} ; 9,90 ; Contenance: 10 l, 30 l 24,90
Laisse {en drisse|rétractable} ; 17,90
Collier {cuir|réfléchissant} ; 14,90 ; Taille: S, M, L
Harnais ; 27,90 ; Taille: S, M, L
Panier {rond|orthopédique} ; 39,90 ; Taille: M, L 54,90
Arbre à chat ; 69,90
Jouet {corde|balle|souris} ; 6,90 ; Taille: petit, grand 9,90
Friandises {au poisson|dentaires|à l'andouille} ; 4,90 ; Poids: 100 g, 300 g 12,50
Graines pour {oiseaux du jardin|poules|canaris} ; 7,90 ; Poids: 2 kg, 10 kg 29,90
Mangeoire ; 24,90
Foin de crau ; 6,90
Aquarium {60 l|120 l} ; 99,00
Nourriture pour poissons ; 6,50
Shampooing {pour chien|pour chat} ; 9,90
Ciré pour chien ; 34,90 ; Taille: S, M, L
Gamelle {inox|en grès} ; 11,90
Antiparasitaire {pipettes|collier} ; 19,90
Abreuvoir {de basse-cour|de cage} ; 13,90
`,
	},
}
