package demo

// The trades of the table. Food is at 5.5 %, sweets and alcohol at 20 %, what is sold hot to be
// eaten at once at 10 % (CGI art. 278-0 bis and 279 m).
var foodTrades = []*trade{
	{
		category: "boulangerie", naf: "10.71C", weight: 11, village: true, hours: bakery, season: everyday, vat: 550,
		stock: [2]int{8, 60}, lead: [2]int{60, 240}, delivers: 15, area: [2]int{25, 90}, jobs: [2]int{2, 9},
		services: []string{"gluten-free-on-order", "order-by-phone"},
		names: []string{
			"Boulangerie {nom}", "Le Fournil de {lieu}", "Ti ar Bara", "Au Bon Levain", "La Mie de {prenom}", "Bara Mad",
			"Maison {nom}", "L'Épi d'Armor", "Le Pétrin de {lieu}", "Aux Délices d'An Oriant", "Boulangerie-pâtisserie {nom}", "La Huche à pain",
		},
		about: []string{
			"Pains au levain, cuits sur place toute la journée, à {commune}.", "Farines bretonnes et beurre salé : la boulangerie de quartier de {commune}.",
			"Une famille au fournil depuis trois générations.",
		},
		words: []string{"Fait sur place, chaque matin.", "Farine de la minoterie voisine.", "Beurre demi-sel, bien sûr.", "Recette de la maison."},
		goods: `
Baguette {de tradition|aux graines|moulée|sans sel} ; 1,25 ; Quantité: 1, 3 3,50
Pain de campagne ; 3,40 ; Poids: 400 g, 800 g 5,90, 1,2 kg 8,40
Pain {au blé noir|de seigle|complet|aux algues|aux noix|d'épeautre} ; 4,60 ; Forme: entier, tranché
Pain brié de l'île ; 3,90
Croissant {au beurre|aux amandes} ; 1,35 ; Quantité: 1, 6 7,50
Pain {au chocolat|aux raisins} ; 1,50 ; Quantité: 1, 6 8,40
Kouign-amann {pur beurre|aux pommes|au caramel} ; 3,20 ; Taille: individuel, 4 parts 11,50, 8 parts 21,90
Far breton {aux pruneaux|nature|aux pommes} ; 2,80 ; Taille: part, entier 14,50
Gâteau breton {nature|fourré pruneau|fourré framboise|fourré caramel} ; 9,80 ; Taille: 4 parts, 8 parts 16,80
Quatre-quarts « ti-kozh » ; 7,90
Brioche {tressée|au sucre|au cœur praliné} ; 5,80 ; Taille: 4 parts, 8 parts 10,50
Éclair {au chocolat|au café|à la vanille} ; 3,10 ; Quantité: 1, 4 11,50
Paris-brest ; 4,20 ; Taille: individuel, 6 parts 24,00
Tarte {aux fraises de Plougastel|au citron|aux pommes|à la rhubarbe} ; 3,90 ; Taille: part, 6 parts 21,00
Galette des rois {frangipane|aux pommes} ; 14,90 ; Taille: 4 parts, 6 parts 21,50, 8 parts 27,90
Sandwich {jambon-beurre|thon-œuf|poulet-crudités|chèvre-miel} ; 4,90 ; Formule: seul, avec boisson et dessert 8,50
Palets bretons ; 5,40 ; Sachet: 200 g, 400 g 9,80
`,
	},
	{
		category: "boucherie", naf: "47.22Z", weight: 6, village: true, hours: halls, season: festive, vat: 550,
		stock: [2]int{4, 30}, lead: [2]int{60, 300}, delivers: 30, area: [2]int{30, 90}, jobs: [2]int{2, 7},
		services: []string{"order-by-phone", "vacuum-packing"},
		names: []string{
			"Boucherie {nom}", "Boucherie de {lieu}", "Boucherie-charcuterie {nom} & fils", "Ti Kig", "L'Entrecôte bretonne",
			"Charcuterie {nom}", "Les Viandes de {lieu}", "Le Billot de {prenom}", "Kig ha Farz", "Au Porc noir",
		},
		about: []string{"Viandes nées, élevées et abattues en Bretagne ; charcuterie maison.", "Boucherie artisanale à {commune} : maturation lente et conseils de cuisson."},
		words: []string{"Éleveurs du Morbihan.", "Préparé dans notre laboratoire.", "Pesé à la commande ; prêt à cuire."},
		goods: `
Rôti de {bœuf|porc|veau|dindonneau} ; 16,90 ; Poids: 600 g, 900 g 24,90, 1,2 kg 32,50
Côte de bœuf maturée ; 34,00 ; Poids: 1 kg, 1,4 kg 47,50
Bavette d'aloyau ; 6,40 ; Portions: 1, 2 12,60, 4 24,90
Saucisse {nature|aux herbes|au chou|au piment d'Espelette} ; 5,90 ; Portions: par 4, par 8 11,50
Andouille de Guémené ; 7,80 ; Poids: 200 g, 500 g 18,90
Pâté de campagne {nature|aux algues|au cidre} ; 4,80 ; Poids: 200 g, 400 g 9,20
Rillettes {de porc|d'oie|de canard} ; 5,20 ; Poids: 180 g, 350 g 9,60
Boudin {noir aux oignons|blanc|noir aux pommes} ; 3,90 ; Quantité: 1, 3 11,00
Lard {fumé au hêtre|demi-sel} ; 4,60 ; Poids: 250 g, 500 g 8,80
Kig ha farz prêt à cuire ; 24,50 ; Parts: 2, 4 46,00
Poulet fermier {de Janzé|jaune} ; 14,90
Cordon bleu maison ; 4,30 ; Quantité: 1, 4 16,50
Steak haché du jour ; 2,90 ; Lot: 1, 4 11,20
Paupiette de {veau|lapin} ; 4,70 ; Quantité: 1, 4 17,90
Colis {famille|grillades|du pêcheur} ; 49,00 ; Poids: 3 kg, 5 kg 78,00
Jambon {blanc au torchon|cru de l'Argoat} ; 5,40 ; Tranches: 4, 8 10,50
Brochette {de bœuf|de canard|d'agneau} ; 3,60 ; Quantité: 1, 4 13,50
Gigot d'agneau de pré-salé ; 38,00
Tripes à la mode de L'Orient ; 6,90
`,
	},
	{
		category: "poissonnerie", naf: "47.23Z", weight: 5, village: false, hours: halls, season: festive, vat: 550,
		stock: [2]int{3, 25}, lead: [2]int{60, 240}, delivers: 25, area: [2]int{20, 70}, jobs: [2]int{1, 6},
		services: []string{"order-by-phone", "oyster-opening"},
		names: []string{
			"Poissonnerie {nom}", "La Criée de {lieu}", "Ti Pesked", "L'Écume", "Le Vivier d'Armor", "Aux Embruns", "Marée haute",
			"Poissonnerie du Port de pêche", "Les Coquillages de {prenom}", "La Godaille",
		},
		about: []string{"Pêche du port de Keroman, choisie à la criée chaque matin.", "Poissons entiers, filets et plateaux de fruits de mer à {commune}."},
		words: []string{"Débarqué à Keroman, pêche côtière.", "Préparé sur demande.", "Ligne ou casier, jamais de chalut de fond."},
		goods: `
Huîtres creuses {de la ria d'Étel|de Locmiquélic|du Blavet} n° 3 ; 8,90 ; Quantité: la douzaine, 2 douzaines 16,90, la bourriche de 5 kg 39,00
Huîtres plates de Bélon ; 14,50 ; Quantité: la douzaine, 2 douzaines 28,00
Moules {de bouchot|de Groix|de corde} ; 4,90 ; Poids: 1 kg, 2 kg 9,40
Langoustines {vivantes|cuites} ; 12,90 ; Poids: 500 g, 1 kg 24,90
Tourteau {vivant|cuit} ; 11,50
Araignée de mer cuite ; 9,80
Homard breton ; 34,00 ; Poids: 500 g, 800 g 54,00
Filet de {lieu jaune|cabillaud|merlu|julienne|maquereau} ; 7,90 ; Poids: 200 g, 400 g 15,50
Dos de {cabillaud|lieu noir} ; 8,90 ; Poids: 200 g, 400 g 17,40
Sardines {de Quiberon|marinées} ; 5,40 ; Quantité: 6, 12 9,90
Bar de ligne ; 19,80
Sole {portion|filets} ; 16,50 ; Quantité: 1, 2 32,00
Saint-Jacques {en coquille|noix} de la baie ; 12,90
Plateau de fruits de mer « {La Godaille|Le Grand Large|L'Îlien} » ; 29,90 ; Personnes: 1, 2 56,00, 4 108,00
Soupe de poissons maison ; 6,90 ; Contenance: 50 cl, 1 l 11,90
Rillettes de {thon|maquereau|saumon fumé} ; 5,80 ; Poids: 90 g, 180 g 10,50
Bigorneaux cuits ; 4,20
Crevettes {roses cuites|grises} ; 6,60 ; Poids: 250 g, 500 g 12,40
Salade d'algues ; 4,50
Saumon fumé au hêtre ; 9,80 ; Tranches: 4, 8 18,90
`,
	},
	{
		category: "fromagerie", naf: "47.29Z", weight: 3, hours: halls, season: festive, vat: 550,
		stock: [2]int{4, 30}, lead: [2]int{30, 180}, delivers: 30, area: [2]int{18, 50}, jobs: [2]int{1, 4},
		services: []string{"gift-wrap", "vacuum-packing"},
		names:    []string{"Fromagerie {nom}", "La Crèmerie de {lieu}", "Ti Laezh", "Le Lait et l'Affinage", "L'Œil de la tomme", "Au Petit-Lait", "Chez {prenom}, fromages", "La Cave à tommes"},
		about:    []string{"Fromages fermiers affinés dans notre cave, à {commune}.", "Petits producteurs du Morbihan et grands crus de France."},
		words:    []string{"Choisi par nos soins.", "Producteur fermier.", "À sortir du frais une heure avant de servir."},
		goods: `
Tomme {de Plouay|de Groix|au foin|aux algues|de brebis du Blavet} ; 6,20 ; Poids: 200 g, 400 g 11,90
Comté {12 mois|24 mois|36 mois} ; 6,90 ; Poids: 200 g, 500 g 16,50
Camembert {au lait cru|au cidre} ; 4,90 ; Taille: demi, entier 7,90
Curé nantais ; 5,60
Crottin de chèvre {frais|demi-sec|cendré} ; 3,20 ; Lot: 1, 3 9,00
Bûche de chèvre {à la cendre|au sarrasin} ; 6,40 ; Taille: demie, entière 11,90
Beurre de baratte {doux|demi-sel|aux algues|au piment} ; 3,60 ; Poids: 250 g, 500 g 6,90
Crème {crue|épaisse} ; 3,10 ; Contenance: 20 cl, 50 cl 6,40
Yaourt {nature|à la fraise|au caramel au beurre salé|à la vanille} ; 1,10 ; Lot: 1, 4 4,20
Lait ribot ; 1,90 ; Contenance: 75 cl, 1,5 l 3,40
Fromage blanc de campagne ; 3,80
Faisselle ; 2,90
Raclette {nature|fumée|au poivre} ; 7,80 ; Poids: 400 g, 800 g 14,90
Fondue « trois cœurs » ; 9,60 ; Personnes: 2, 4 18,50
Plateau {découverte|de fête|tout chèvre} ; 18,90 ; Personnes: 4, 8 35,00
Bleu {de brebis|d'Auvergne} ; 5,40 ; Poids: 150 g, 300 g 10,50
Morbier ; 5,20
Saint-nectaire fermier ; 6,10
Reblochon fermier ; 8,90
Confiture de cerise noire pour brebis ; 5,50
`,
	},
	{
		category: "primeur", naf: "47.21Z", weight: 5, village: true, hours: halls, season: everyday, vat: 550,
		stock: [2]int{6, 50}, lead: [2]int{45, 180}, delivers: 45, area: [2]int{25, 120}, jobs: [2]int{1, 6},
		services: []string{"order-by-phone"},
		names:    []string{"Primeurs {nom}", "Le Potager de {lieu}", "Les 4 Saisons de {prenom}", "Ti al Legumaj", "La Cagette", "Au Jardin d'Armor", "Le Panier du Scorff", "Les Vergers de {lieu}"},
		about:    []string{"Légumes de plein champ et fruits mûrs, du producteur au comptoir.", "Maraîchers du pays de Lorient à {commune}."},
		words:    []string{"Cultivé à moins de 30 km.", "Récolté la veille.", "Calibre moyen, de pleine terre.", "Selon l'arrivage."},
		goods: `
Pommes {reinette d'Armorique|gala|chanteclerc|à cidre} ; 2,90 ; Poids: 1 kg, 3 kg 7,90
Poires {conférence|comice} ; 3,40 ; Poids: 1 kg, 2 kg 6,50
Fraises {gariguette|charlotte|de Plougastel} ; 4,60 ; Barquette: 250 g, 500 g 8,50
Pommes de terre {amandine|charlotte|pour frites} ; 2,40 ; Poids: 1 kg, 5 kg 9,80
Carottes {de sable|botte|de couleur} ; 2,20 ; Poids: 1 kg, 2 kg 4,20
Artichaut {camus|violet} ; 1,60 ; Lot: 1, 4 5,80
Chou-fleur {de Bretagne|romanesco} ; 2,90 ; Quantité: 1, 2 5,50
Oignons {rosés de Roscoff|jaunes} ; 2,80 ; Poids: 1 kg, la tresse 8,90
Échalote {traditionnelle|longue} ; 3,20
Salade {batavia|feuille de chêne|mâche|roquette} ; 1,60 ; Quantité: 1, 2 2,90
Tomates {anciennes|grappe|cœur de bœuf|cerise} ; 3,90 ; Poids: 500 g, 1 kg 7,40
Courgettes ; 2,60
Poireaux ; 2,70
Radis roses ; 1,80
Champignons {de Paris|pleurotes|shiitake} ; 3,80 ; Poids: 250 g, 500 g 7,20
Panier de la semaine {solo|duo|famille} ; 12,00 ; Formule: une fois, quatre semaines 45,00
Cocos de Paimpol ; 4,80
Jus de pomme {fermier|pétillant|au gingembre} ; 3,60 ; Contenance: 1 l, 3 l 9,50
Œufs de plein air ; 2,40 ; Boîte: 6, 12 4,60
Herbes {persil|coriandre|basilic|ciboulette} ; 1,50 ; Quantité: 1 botte, 2 bottes 2,70
Citron {jaune|vert|caviar} ; 1,20 ; Quantité: 1, 4 4,20
`,
	},
	{
		category: "epicerie", naf: "47.29Z", weight: 5, village: true, hours: retail, season: gifts, vat: 550,
		stock: [2]int{4, 40}, lead: [2]int{30, 120}, delivers: 30, area: [2]int{25, 110}, jobs: [2]int{1, 4},
		services: []string{"gift-wrap"},
		names:    []string{"L'Épicerie de {lieu}", "Épicerie {nom}", "Le Comptoir de L'Orient", "Ti Spis", "La Conserverie du port", "Le Garde-manger de {prenom}", "Aux Indes", "La Boîte à sardines", "Chez Œlle"},
		about:    []string{"Conserves, épices et douceurs de Bretagne, à {commune}.", "Sur les traces de la Compagnie des Indes : poivres, thés et bonnes boîtes."},
		words:    []string{"Fabriqué en Bretagne.", "Un classique de la maison.", "Idéal à offrir.", "Petite production, quantités limitées."},
		goods: `
Sardines {à l'huile d'olive|au citron|millésimées|au beurre de baratte} ; 4,90 ; Lot: 1, 3 13,90
Rillettes de {sardine|maquereau|homard|Saint-Jacques} ; 5,60 ; Pot: 90 g, 180 g 10,20
Soupe de poissons « {de Groix|du port} » ; 6,80 ; Contenance: 40 cl, 80 cl 11,90
Caramel au beurre salé {nature|au café|à la fleur de sel} ; 5,90 ; Pot: 110 g, 220 g 9,80
Fleur de sel {nature|aux algues|au curry} ; 4,50
Poivre {de Malabar|de Kâmpôt|de Timut|sauvage} ; 6,90 ; Poids: 50 g, 100 g 12,50
Kari Gosse « cari de L'Orient » ; 7,20
Miel {de bruyère|de blé noir|toutes fleurs} ; 7,40 ; Pot: 250 g, 500 g 12,90
Confiture {de lait|de fraise|de rhubarbe|de mûre|d'œillets et rose} ; 5,20 ; Pot: 220 g, 350 g 7,50
Farine de blé noir ; 3,80 ; Poids: 1 kg, 2,5 kg 8,60
Galettes bretonnes en boîte « {Bord de mer|Phare|Hermine} » ; 8,90 ; Poids: 300 g, 600 g 15,90
Huile {d'olive|de colza grillé|de noix} ; 9,60 ; Contenance: 25 cl, 50 cl 16,50
Vinaigre {de cidre|balsamique} ; 5,90 ; Contenance: 25 cl, 50 cl 9,90
Moutarde {à l'ancienne|aux algues|au miel} ; 4,10 ; Pot: 100 g, 200 g 7,20
Tartare d'algues ; 5,40
Coffret {apéritif|petit-déjeuner|du marin} ; 24,90 ; Taille: duo, famille 39,00
Cidre fermier ; 5,20 ; Contenance: 33 cl, 75 cl 6,90 ; 2000
Bonbons {au caramel|à la violette|aux fruits} ; 4,80 ; 2000
`,
	},
	{
		category: "cave", naf: "47.25Z", weight: 4, hours: evening, season: festive, vat: 2000,
		stock: [2]int{3, 36}, lead: [2]int{30, 120}, delivers: 50, area: [2]int{30, 140}, jobs: [2]int{1, 4},
		services: []string{"gift-wrap", "tasting"},
		names:    []string{"La Cave de {lieu}", "Cave {nom}", "Le Bouchon breton", "Gwin ha Sistr", "Les Vins de {prenom}", "Le Tire-bouchon", "La Cambuse", "Brasserie {nom}"},
		about:    []string{"Vignerons, cidriers et brasseurs que nous connaissons tous.", "Cidres, bières et vins choisis à {commune}. L'abus d'alcool est dangereux pour la santé."},
		words:    []string{"À consommer avec modération.", "Maison familiale.", "Coup de cœur du caviste."},
		goods: `
Cidre {brut|doux|demi-sec|rosé} fermier de Guidel ; 4,90 ; Contenance: 75 cl, carton de 6 27,50
Poiré ; 5,60
Chouchen {tradition|vieilli en fût} ; 13,90
Bière {blonde|ambrée|blanche|au blé noir|de Noël|IPA} « Ar Mor » ; 3,20 ; Contenance: 33 cl, 75 cl 6,50, coffret de 6 18,50
Muscadet {sur lie|cru Clisson} ; 9,90 ; Contenance: 75 cl, carton de 6 56,00
Saumur-champigny ; 11,50 ; Contenance: 75 cl, magnum 24,00
Bordeaux supérieur {rouge|blanc} ; 10,90 ; Contenance: 75 cl, carton de 6 62,00
Côtes-du-rhône {rouge|blanc} ; 9,80 ; Contenance: 75 cl, carton de 6 56,00
Bourgogne {aligoté|pinot noir|chardonnay} ; 17,90 ; Contenance: 75 cl, carton de 6 102,00
Sancerre {blanc|rouge|rosé} ; 19,50 ; Contenance: 75 cl, magnum 41,00
Crémant {de Loire|d'Alsace} ; 13,50 ; Contenance: 75 cl, carton de 6 77,00
Champagne {brut|extra-brut|rosé} « Les Cœurs » ; 32,00 ; Contenance: 75 cl, magnum 68,00
Whisky breton {au blé noir|single malt|tourbé} ; 46,00 ; Contenance: 35 cl, 70 cl 79,00
Rhum {ambré|vieux|arrangé vanille|arrangé ananas} ; 34,00
Lambig « fine Bretagne » ; 39,00
Liqueur de fraise de Plougastel ; 18,00
Pommeau de Bretagne ; 14,50
Jus de raisin pétillant ; 6,20 ; 550
Coffret {découverte|de trois vins|bières d'ici} ; 29,00
Tire-bouchon « sommelier » ; 14,00
Vin naturel « {L'Œuf|Punk|Sans façon} » ; 15,90 ; Contenance: 75 cl, carton de 6 90,00
`,
	},
	{
		category: "chocolaterie", naf: "10.82Z", weight: 3, hours: retail, season: gifts, vat: 550,
		stock: [2]int{4, 40}, lead: [2]int{45, 180}, delivers: 30, area: [2]int{20, 60}, jobs: [2]int{1, 6},
		services: []string{"gift-wrap"},
		names:    []string{"Chocolaterie {nom}", "Cacao d'Armor", "Le Palet de L'Orient", "Ti Chokolad", "Les Gourmandises de {prenom}", "Maison {nom}, chocolatier", "La Fève et le Sel", "Glaces et chocolats {nom}"},
		about:    []string{"De la fève à la tablette, dans notre atelier de {commune}.", "Pralinés, caramels et glaces maison."},
		words:    []string{"Fabriqué dans notre atelier.", "Recette de la maison.", "À offrir sans attendre."},
		goods: `
Tablette {noir 70 %|noir 85 %|noir au sarrasin grillé|noir fleur de sel} ; 5,40 ; Poids: 100 g, 200 g 10,20
Tablette {lait caramel|lait noisette|blonde} ; 5,60 ; Poids: 100 g, 200 g 10,20 ; 2000
Ballotin de chocolats {noirs|assortis|pralinés} ; 16,90 ; Poids: 250 g, 500 g 31,90, 750 g 46,00
Palets {d'or|de L'Orient|au caramel} ; 12,50 ; Poids: 150 g, 300 g 23,50
Orangettes ; 9,80 ; Poids: 150 g, 300 g 18,50
Mendiants {noirs|au lait} ; 8,90
Caramels {au beurre salé|au sarrasin|à la vanille} ; 6,90 ; Poids: 150 g, 300 g 12,90 ; 2000
Pâtes de fruits {fraise|cassis|pomme de Bretagne} ; 8,60 ; Poids: 150 g, 300 g 16,20 ; 2000
Guimauve {vanille|fleur d'oranger|framboise} ; 5,20 ; Poids: 100 g, 200 g 9,80 ; 2000
Sucettes longues du port {caramel|fraise} ; 6,40 ; 2000
Œuf de Pâques garni {noir|lait} ; 15,90 ; Taille: 12 cm, 18 cm 28,00
Sardines en chocolat ; 7,90 ; 2000
Phare en chocolat ; 18,50
Pâte à tartiner {noisette|caramel|sarrasin} ; 8,50 ; Pot: 220 g, 400 g 13,90
Chocolat chaud {à l'ancienne|aux épices} ; 9,20
Bûche glacée {vanille-caramel|chocolat-poire} ; 32,00 ; Parts: 6, 8 41,00
Glace {caramel au beurre salé|vanille|fraise|blé noir|lait ribot} ; 6,90 ; Contenance: 50 cl, 1 l 12,50
Macarons assortis ; 14,50 ; Boîte: 8, 16 27,50
Dragées {amande|chocolat} ; 11,00 ; 2000
`,
	},
	{
		category: "creperie", naf: "56.10A", weight: 6, village: true, hours: evening, season: summer, vat: 1000,
		stock: [2]int{12, 80}, lead: [2]int{20, 60}, delivers: 25, area: [2]int{30, 110}, jobs: [2]int{2, 8},
		services: []string{"terrace", "order-by-phone"},
		names:    []string{"Crêperie {nom}", "Crêperie de {lieu}", "Ti Krampouezh", "La Bolée", "Le Blé noir", "An Daol Vras", "Crêperie du Vieux-Puits", "La Galetière", "Chez {prenom}", "L'Œuf miroir", "Krampouz'héol"},
		about:    []string{"Galettes de blé noir tournées à la commande, à {commune}.", "Billig en fonte, farine bretonne et cidre fermier."},
		words:    []string{"Fait à la commande.", "Produits de Bretagne.", "Prêt en vingt minutes."},
		goods: `
Galette complète {jambon|andouille|lard|saucisse} ; 8,40 ; Pâte: blé noir, blé noir croustillante
Galette {œuf-fromage|jambon-fromage|beurre} ; 5,80 ; Pâte: blé noir, blé noir croustillante
Galette {forestière|du pêcheur|chèvre-miel|Saint-Jacques|végétarienne|raclette} ; 10,90 ; Pâte: blé noir, blé noir croustillante
Galette-saucisse ; 4,50 ; Taille: simple, double 7,90
Galettes de blé noir nature ; 5,20 ; Lot: 6, 12 9,60 ; 550
Crêpes de froment nature ; 4,60 ; Lot: 6, 12 8,50 ; 550
Crêpe {beurre-sucre|citron|au miel|confiture de fraise} ; 3,60 ; Quantité: 1, 2 6,80
Crêpe {caramel au beurre salé|chocolat maison|pomme caramélisée|flambée au lambig|suzette} ; 5,90 ; Taille: simple, avec glace 7,80
Kouign de L'Orient ; 4,20
Salade {bretonne|du marin|au chèvre chaud} ; 9,80 ; Taille: petite, grande 12,90
Menu {crêpes à deux|enfant|midi} ; 14,90
Lait ribot ; 2,60 ; Contenance: 25 cl, 75 cl 5,20 ; 550
Jus de pomme fermier ; 3,20 ; Contenance: 25 cl, 1 l 6,90 ; 550
Cidre {brut|doux} ; 4,20 ; Contenance: 33 cl, 75 cl 9,50 ; 2000
Far breton {pruneaux|pommes} ; 4,50 ; Taille: part, entier 16,50
Caramel de la maison ; 6,20 ; 550
Coupe glacée {« Dame blanche »|« An Oriant »|trois boules} ; 7,20
`,
	},
	{
		category: "traiteur", naf: "56.10C", weight: 7, village: true, hours: late, season: everyday, vat: 1000,
		stock: [2]int{8, 40}, lead: [2]int{25, 90}, delivers: 55, area: [2]int{25, 120}, jobs: [2]int{2, 9},
		services: []string{"terrace", "order-by-phone", "reusable-boxes"},
		names: []string{
			"Traiteur {nom}", "Le Bistrot de {lieu}", "Les Plats de {prenom}", "Ti ar Boued", "Pizza {lieu}", "Le Wok de L'Orient", "La Cantine des halles",
			"Burger Breizh", "Bagad Bento", "Au Hublot", "Saveurs de Pondichéry", "Kebab du Port",
		},
		about: []string{"Cuisine du jour à emporter, consignes en verre acceptées.", "Du marché à l'assiette, à {commune}."},
		words: []string{"À déguster tout de suite.", "Produits du marché, cuisine maison.", "En emballage consigné, si vous voulez."},
		goods: `
Plat du jour {du pêcheur|du boucher|végétarien} ; 12,50 ; Portion: normale, grande 15,50
Lasagnes {bolognaise|aux légumes|saumon-épinards} ; 10,90 ; Parts: 1, 4 39,00
Curry {de légumes|de poulet|de lotte} façon Compagnie des Indes ; 13,50 ; Portion: normale, grande 16,50
Pizza {reine|quatre fromages|andouille|du port|chèvre-miel|végétarienne} ; 11,90 ; Taille: 29 cm, 33 cm 14,90, 40 cm 19,50
Burger {breton|classique|poulet|au bleu|végétal} ; 12,90 ; Menu: seul, avec frites 15,50
Frites maison ; 3,90 ; Taille: petite, grande 5,50
Fish and chips de lieu jaune ; 13,90
Parmentier de {bœuf|canard|poisson} ; 11,50 ; Parts: 1, 4 42,00
Cotriade du port ; 16,90
Quiche {lorraine|poireaux-saumon} ; 5,90 ; Taille: part, 6 parts 26,00
Salade composée {du marché|César|de quinoa} ; 9,50 ; Taille: petite, grande 12,50
Bento {saumon|tofu|poulet} ; 13,90 ; Taille: midi, soir 17,90
Riz au lait de grand-mère ; 4,20
Mousse au chocolat ; 4,50
Tiramisu {au café|caramel-spéculoos} ; 5,20
Plateau-repas « réunion » ; 19,90
Eau {plate|gazeuse} ; 1,80 ; 550
Bière {blonde|ambrée} du pays ; 4,20 ; 2000
`,
	},
	{
		category: "bio", naf: "47.29Z", weight: 3, village: true, hours: retail, season: everyday, vat: 550,
		stock: [2]int{5, 40}, lead: [2]int{60, 180}, delivers: 35, area: [2]int{40, 420}, jobs: [2]int{2, 12},
		services: []string{"bulk", "deposit-return"},
		names:    []string{"Bio {lieu}", "La Ferme de {prenom}", "Ti Bio", "Le Grain de {lieu}", "Au Vrac d'Armor", "La Coop bio {nom}", "La Ferme de Kerdurand", "L'Œil et la Fève"},
		about:    []string{"Vrac, fruits et légumes biologiques, producteurs à moins de 50 km.", "Épicerie biologique et consigne à {commune}."},
		words:    []string{"Agriculture biologique.", "Certifié par un organisme agréé.", "Producteur local, en direct."},
		goods: `
Lentilles {vertes|corail|blondes} ; 3,90 ; Poids: 500 g, 1 kg 7,20
Riz {complet|basmati|rond de Camargue} ; 3,40 ; Poids: 500 g, 1 kg 6,30
Flocons d'avoine ; 2,60
Muesli {croustillant|aux fruits|au chocolat} ; 5,80 ; Poids: 500 g, 1 kg 10,50
Pâtes {complètes|au sarrasin|semi-complètes} ; 2,90 ; Poids: 500 g, 1 kg 5,40
Huile de {tournesol|sésame|coco} ; 7,20 ; Contenance: 50 cl, 1 l 12,90
Tofu {nature|fumé|aux herbes} ; 3,60 ; Lot: 1, 2 6,90
Boisson {d'avoine|de soja|d'amande} ; 2,40 ; Lot: 1, 6 13,50
Purée {d'amande|de cacahuète|de noisette} ; 7,90 ; Pot: 275 g, 500 g 13,50
Graines {de courge|de lin|de tournesol} ; 3,80 ; Poids: 250 g, 500 g 7,20
Fruits secs {abricots|dattes|figues} ; 5,60 ; Poids: 250 g, 500 g 10,40
Savon {d'Alep|de Marseille|au lait d'ânesse} ; 5,20 ; 2000
Lessive {liquide|en poudre} ; 8,90 ; Contenance: 1 l, 3 l 23,00 ; 2000
Liquide vaisselle ; 4,20 ; 2000
Miel de sarrasin ; 8,40
Panier de légumes bio ; 14,00 ; Taille: petit, grand 22,00
Œufs bio ; 3,20 ; Boîte: 6, 12 6,10
Compote {pomme|pomme-poire|pomme-châtaigne} ; 3,90 ; Lot: 1, 4 14,50
Galettes de {riz|maïs|sarrasin} ; 2,50
Thé vert {sencha|à la menthe} ; 5,90
Miso {d'orge|de riz} ; 6,80
`,
	},
	{
		category: "torrefaction", naf: "10.83Z", weight: 2, hours: retail, season: gifts, vat: 550,
		stock: [2]int{5, 40}, lead: [2]int{30, 90}, delivers: 35, area: [2]int{20, 70}, jobs: [2]int{1, 4},
		services: []string{"gift-wrap", "tasting"},
		names:    []string{"Torréfaction {nom}", "Cafés {nom}", "Le Moulin à café", "Comptoir des Indes", "Ti Kafe", "La Route du thé", "L'Arôme de {lieu}"},
		about:    []string{"Cafés torréfiés chaque semaine à {commune}, thés d'origine.", "Le port de L'Orient sentait le thé et le café : il recommence."},
		words:    []string{"Choisi à l'origine.", "Conseils de préparation au comptoir.", "À goûter en boutique."},
		goods: `
Café {Éthiopie Sidamo|Brésil Sul de Minas|Guatemala|Pérou bio|décaféiné|« Mélange du port »|Inde Malabar moussonné} ; 7,40 ; Poids: 250 g grains, 250 g moulu, 1 kg grains 27,50
Thé noir {Assam|Darjeeling|Ceylan|Earl Grey|« Bretagne »} ; 8,20 ; Poids: 100 g, 250 g 18,90
Thé vert {sencha|jasmin|à la menthe|gunpowder} ; 7,90 ; Poids: 100 g, 250 g 17,90
Rooibos {vanille|agrumes|nature} ; 6,90 ; Poids: 100 g, 250 g 15,90
Infusion {tilleul-verveine|« Soir de tempête »|pomme-cannelle|des embruns} ; 6,50 ; Poids: 50 g, 100 g 11,90
Maté vert ; 6,20
Chaï {de L'Orient|aux épices douces} ; 8,40
Chocolat en poudre {70 %|aux épices} ; 7,80
Théière {en fonte|en grès|en verre} ; 34,00 ; Contenance: 0,6 l, 1 l 44,00 ; 2000
Cafetière {italienne|à piston} ; 27,00 ; Tasses: 3, 6 34,00 ; 2000
Moulin à café manuel ; 39,00 ; 2000
Mug {en grès|« Port-Louis »|« Groix »} ; 14,50 ; 2000
Coffret {découverte café|cinq thés|gourmand} ; 24,90
Filtre à thé ; 6,90 ; 2000
Sucre {candi|de canne} ; 4,20
Biscuits {au thé|au gingembre|de Pont-Scorff} ; 5,40
`,
	},
}
